package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// link is [text](target), or an image.
var link = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)

// fenced is code, in which brackets are none of a link.
var fenced = regexp.MustCompile("(?s)```.*?```")

// named is a link's text that names a test, an example or a benchmark.
var named = regexp.MustCompile("^`((?:Test|Example|Fuzz|Benchmark)\\w*)`$")

// broken returns what is wrong with the links of a page at path with this text, and how
// many name a test.
func broken(path, text string) (faults []string, tests int) {
	for _, l := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		target, _, _ := strings.Cut(l[2], "#")
		if target == "" || strings.Contains(target, "://") {
			continue
		}
		target = filepath.Join(root, filepath.Dir(path), target)
		if _, err := os.Stat(target); err != nil {
			faults = append(faults, l[0]+": no such file")
			continue
		}
		n := named.FindStringSubmatch(l[1])
		if n == nil {
			continue
		}
		tests++
		if code, err := os.ReadFile(target); err != nil || !strings.Contains(string(code), "\nfunc "+n[1]+"(") {
			faults = append(faults, l[0]+": it is not there")
		}
	}
	return faults, tests
}

// Every file that a document links to exists, and holds the test that the link names.
func TestLinks(t *testing.T) {
	all := 0
	for path, text := range files(t, func(path string) bool { return strings.HasSuffix(path, ".md") }) {
		faults, tests := broken(path, text)
		assert.Empty(t, faults, path)
		all += tests
	}
	assert.Greater(t, all, 50, "the links to tests are not found")
}

func TestBrokenLinks(t *testing.T) {
	faults, tests := broken("internal/docs/page.md", "see [a](gone.go), [`TestGone`](links_test.go), "+
		"[`TestLinks`](links_test.go#L1), [far](https://example.com/gone) and [here](#below)")
	assert.Equal(t, []string{"[a](gone.go): no such file", "[`TestGone`](links_test.go): it is not there"}, faults)
	assert.Equal(t, 2, tests)
}
