package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// file is the name of a file of code, or of a folder, in a cell of a table.
var file = regexp.MustCompile("`([\\w/]+\\.go|[\\w/]+/[\\w/]*)`")

// lost returns the files that a page's tables name and that do not exist. A name without a folder is in that of
// the one before it in its row, or below it.
func lost(text string) (names []string, found int) {
	for row := range strings.Lines(text) {
		if !strings.HasPrefix(row, "|") {
			continue
		}
		folder := ""
		for _, m := range file.FindAllStringSubmatch(row, -1) {
			name := m[1]
			if strings.Contains(name, "/") {
				folder = filepath.Dir(name)
			} else {
				name = filepath.Join(folder, name)
			}
			if !exists(name) {
				names = append(names, name)
				continue
			}
			found++
		}
	}
	return names, found
}

// exists reports whether there is a file with this path, or with its name in a folder below.
func exists(name string) bool {
	dir, base := filepath.Split(filepath.Join(root, name))
	for _, below := range []string{"", "*", "*/*"} {
		if found, err := filepath.Glob(filepath.Join(dir, below, base)); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// Where a word of the concepts, or what is to be changed, is found in the code stays true when files are moved.
func TestTablesNameFiles(t *testing.T) {
	for page, least := range map[string]int{"docs/concepts.md": 30, ".github/CONTRIBUTING.md": 40} {
		text, err := os.ReadFile(filepath.Join(root, page))
		require.NoError(t, err)
		names, found := lost(string(text))
		assert.Empty(t, names, page)
		assert.Greater(t, found, least, page)
	}
}

func TestLostFiles(t *testing.T) {
	names, found := lost("see `queue/none.go`\n| `queue/key.go`, `none.go`, `queue.go`; `throttle/limit/`, `throttle/gone/`, `throttle/`, `quota.go` |\n")
	assert.Equal(t, []string{"queue/none.go", "throttle/gone/"}, names)
	assert.Equal(t, 5, found)
}
