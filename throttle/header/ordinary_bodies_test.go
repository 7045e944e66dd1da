package header

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOrdinaryErrors reads errors that have nothing to do with the rate of requests, some of which
// sound as if they had. None is a refusal.
func TestOrdinaryErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/ordinary/*.txt")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		status := 0
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\n")
			if n, err := strconv.Atoi(line); err == nil {
				status = n
				continue
			}
			if line == "" || line[0] == '#' {
				continue
			}
			require.False(t, seen[line], "twice: %s", line)
			seen[line] = true
			var r Reading
			r.Read(status, headerOf("Content-Type", "application/json"), []byte(line), benchNow)
			assert.False(t, r.Refused, "%s, %d: %s", filepath.Base(file), status, line)
			assert.Equal(t, Unspecified, r.Reason, line)
		}
	}
	t.Logf("%d bodies", len(seen))
	assert.Greater(t, len(seen), 2000, "the list is not whole")
}
