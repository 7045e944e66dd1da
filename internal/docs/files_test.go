package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the top of the repository.
const root = "../.."

// files returns the text of the files of the repository that keep tells to, by their
// path from its top.
func files(t *testing.T, keep func(path string) bool) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "testdata" || name == "node_modules" || len(name) > 2 && name[0] == '.' && name != ".github" {
				return filepath.SkipDir
			}
			return nil
		}
		path, err = filepath.Rel(root, path)
		if err != nil || !keep(filepath.ToSlash(path)) {
			return err
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		texts[filepath.ToSlash(path)] = string(text)
		return err
	})
	require.NoError(t, err)
	return texts
}
