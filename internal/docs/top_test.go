package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The top level shows the rooms, and nothing beside them but what has to stand there.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	allowed := []string{
		"client", "throttle", "backoff", "queue", "examples", "internal", "docs",
		"go.mod", "go.sum", "go.work", "go.work.sum", "README.md", "LICENSE",
	}
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") {
			assert.Contains(t, allowed, name)
		}
	}
}
