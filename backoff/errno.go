//go:build !plan9

package backoff

import "syscall"

var (
	// errRefused are the errors of a connection that was never made.
	errRefused = []error{syscall.ECONNREFUSED}
	// errnoLost are the errors of a connection that broke.
	errnoLost = []error{syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE}
)
