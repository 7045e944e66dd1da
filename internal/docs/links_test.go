package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		target, anchor, _ := strings.Cut(l[2], "#")
		if strings.Contains(target, "://") {
			continue
		}
		if target == "" {
			target = filepath.Join(root, path)
		} else {
			target = filepath.Join(root, filepath.Dir(path), target)
		}
		if _, err := os.Stat(target); err != nil {
			faults = append(faults, l[0]+": no such file")
			continue
		}
		if page, err := os.ReadFile(target); anchor != "" && strings.HasSuffix(target, ".md") && (err != nil || !anchors(string(page))[anchor]) {
			faults = append(faults, l[0]+": no such heading")
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

// heading is a heading of a page.
var heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(page string) map[string]bool {
	all := make(map[string]bool)
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		all[strings.Map(func(c rune) rune {
			switch {
			case c == ' ':
				return '-'
			case c == '-', c == '_', unicode.IsLetter(c), unicode.IsDigit(c):
				return unicode.ToLower(c)
			}
			return -1
		}, link.ReplaceAllString(h[1], "$1"))] = true
	}
	return all
}

// What README.md guarantees is tested: each promise links to its test.
func TestGuaranteesLinkToTests(t *testing.T) {
	page := files(t, func(path string) bool { return path == "README.md" })["README.md"]
	_, section, ok := strings.Cut(page, "\n## What it guarantees\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	promises := regexp.MustCompile(`(?m)^- .+$`).FindAllString(section, -1)
	require.NotEmpty(t, promises)
	for _, p := range promises {
		assert.Regexp(t, `\]\([\w/]+_test\.go\)`, p)
	}
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
		"[`TestLinks`](links_test.go#L1), [far](https://example.com/gone), [part](../../README.md#what-it-guarantees) and "+
		"[other](../../README.md#nothing)")
	assert.Equal(t, []string{
		"[a](gone.go): no such file", "[`TestGone`](links_test.go): it is not there", "[other](../../README.md#nothing): no such heading",
	}, faults)
	assert.Equal(t, 2, tests)
}
