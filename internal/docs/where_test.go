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

// lost returns the files that a page's tables name and that do not exist. A name without a
// folder is in that of the one before it in its row.
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
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				names = append(names, name)
				continue
			}
			found++
		}
	}
	return names, found
}

// Where a word of the concepts is found in the code stays true when files are moved.
func TestConceptsNameFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "concepts.md"))
	require.NoError(t, err)
	names, found := lost(string(text))
	assert.Empty(t, names)
	assert.Greater(t, found, 30)
}

func TestLostFiles(t *testing.T) {
	names, found := lost("see `queue/none.go`\n| `queue/key.go`, `none.go`, `queue.go`; `throttle/limit/`, `throttle/gone/` |\n")
	assert.Equal(t, []string{"queue/none.go", "throttle/gone/"}, names)
	assert.Equal(t, 3, found)
}
