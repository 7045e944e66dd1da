package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/apiserver"
)

func TestTable(t *testing.T) {
	var out strings.Builder
	require.NoError(t, writeTable(&out, []result{
		{"go-retryablehttp", apiserver.Counts{Requests: 380, Admitted: 300, Refused: 80}, 312, 7210 * time.Millisecond},
		{"forbear", apiserver.Counts{Requests: 300, Admitted: 300}, 300, 12080 * time.Millisecond},
		{"idle", apiserver.Counts{}, 0, 0},
	}))
	require.Equal(t, `
client            requests sent  refused (429)  quota used    time
go-retryablehttp            380             80      96.2 %   7.2 s
forbear                     300              0     100.0 %  12.1 s
idle                          0              0       0.0 %   0.0 s
`, out.String())
}

func TestTableOnClosedOutput(t *testing.T) {
	read, write := io.Pipe()
	gone := errors.New("gone")
	require.NoError(t, read.CloseWithError(gone))
	require.ErrorIs(t, writeTable(write, nil), gone)
}
