package words

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0 s": -time.Second, "1 ms": time.Microsecond, "999 ms": 999 * time.Millisecond, "1.5 s": 1500 * time.Millisecond, "2 s": 2 * time.Second,
		"11 s": 10*time.Second + 1, "1 min": time.Minute, "1 min 1 s": 61 * time.Second, "1 h": time.Hour,
		"2 h 5 min": 2*time.Hour + 5*time.Minute + time.Second, "3 d 4 h": 76 * time.Hour, "30 d": 720 * time.Hour,
		"106751 d 23 h": math.MaxInt64,
	} {
		require.Equal(t, want, Duration(d))
	}
}

func TestClean(t *testing.T) {
	for name, want := range map[string]string{
		"ä b": "ä b", "\xff\x1b": "\ufffd\ufffd", "a\nb": "a\ufffdb", "\u202eevil": "\ufffdevil", "zero\u200bwidth": "zero\ufffdwidth",
		strings.Repeat("é", 80): strings.Repeat("é", 80), strings.Repeat("é", 81): strings.Repeat("é", 80) + "…",
	} {
		require.Equal(t, want, Clean(name, 80))
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\u2028b", 3)
	f.Fuzz(func(t *testing.T, name string, longest int) {
		longest = min(max(longest, 0), 1000)
		got := Clean(name, longest)
		require.LessOrEqual(t, len([]rune(got)), longest+1)
		require.False(t, strings.ContainsAny(got, "\n\r\x00\x1b\u2028\u202e"))
	})
}
