package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// A result is what it took one client to fetch everything.
type result struct {
	name     string
	sent     apiserver.Counts
	possible int // requests that the API would have admitted meanwhile
	took     time.Duration
}

// used returns the part of what was possible that was admitted.
func (r result) used() float64 {
	if r.possible == 0 {
		return 0
	}
	return float64(r.sent.Admitted) / float64(r.possible)
}

// writeTable writes a row for each result.
func writeTable(out io.Writer, results []result) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\n%-16s  %13s  %13s  %10s  %6s\n", "client", "requests sent", "refused (429)", "quota used", "time")
	for _, r := range results {
		fmt.Fprintf(&text, "%-16s  %13d  %13d  %8.1f %%  %4.1f s\n",
			r.name, r.sent.Requests, r.sent.Refused, 100*r.used(), r.took.Seconds())
	}
	_, err := io.WriteString(out, text.String())
	return err
}
