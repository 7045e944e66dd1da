package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgressElsewhereHasNoControlCharacters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		began := time.Now()
		stop := follow(&out, func() string { return time.Since(began).String() })
		time.Sleep(5 * time.Second)
		stop()
		require.Equal(t, "2s\n4s\n5s\n", out.String())
	})
}

func TestProgressOnTerminalIsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		lines := []string{"a long line", "short", "the end"}
		stop := redraw(&out, func() string {
			line := lines[0]
			lines = lines[1:]
			return line
		})
		time.Sleep(250 * time.Millisecond)
		stop()
		pad := func(s string) string { return s + strings.Repeat(" ", 70-len(s)) }
		require.Equal(t, "\r"+pad("a long line")+"\r"+pad("short")+"\r"+pad("the end")+"\n", out.String())
	})
}

func TestOnlyCharacterDevicesAreTerminals(t *testing.T) {
	require.False(t, isTerminal(new(strings.Builder)))
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	require.False(t, isTerminal(file))
	require.NoError(t, file.Close())
	require.False(t, isTerminal(file), "closed")
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	defer write.Close()
	require.False(t, isTerminal(write), "pipe")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	require.True(t, isTerminal(null), "the only character device that every machine has")
}
