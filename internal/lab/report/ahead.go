package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/peer"
)

// A measure is one thing in which clients are compared.
type measure struct {
	name string
	// by is how much better a client is than another: positive when it is ahead.
	by func(client, other lab.Row) float64
	// least is by how much it must be ahead to be named.
	least float64
	show  func(lab.Row) string
}

func measures() []measure {
	return []measure{
		{
			"fewer refused", func(a, b lab.Row) float64 { return b.RefusedShare() - a.RefusedShare() }, 1e-9,
			func(r lab.Row) string { return percent(r.RefusedShare()) },
		},
		{
			"more used", func(a, b lab.Row) float64 { return a.UsedShare() - b.UsedShare() }, 1e-9,
			func(r lab.Row) string { return percent(r.UsedShare()) },
		},
		{
			"more sent", func(a, b lab.Row) float64 {
				if a.Possible > 0 {
					return 0
				}
				return float64(a.Requests - b.Requests)
			}, 1, func(r lab.Row) string { return strconv.Itoa(r.Requests) },
		},
		{
			"fewer failed calls", func(a, b lab.Row) float64 { return float64(b.Failed - a.Failed) }, 1,
			func(r lab.Row) string { return strconv.Itoa(r.Failed) },
		},
		{"a shorter wait, median", shorter(func(r lab.Row) int { return r.P50 }), .1, func(r lab.Row) string { return wait(r.P50) }},
		{"a shorter wait, p99", shorter(func(r lab.Row) int { return r.P99 }), .1, func(r lab.Row) string { return wait(r.P99) }},
		{
			"a more even half time", func(a, b lab.Row) float64 { return float64(a.HalfLeast - b.HalfLeast) }, 1,
			func(r lab.Row) string { return strconv.Itoa(r.HalfLeast) },
		},
	}
}

// shorter compares waits: by what part of the other's a client's is shorter. Calls
// that failed have none, so clients that fail more are not compared.
func shorter(ms func(lab.Row) int) func(a, b lab.Row) float64 {
	return func(a, b lab.Row) float64 {
		if a.Failed > b.Failed || ms(b) == 0 {
			return 0
		}
		return 1 - float64(ms(a))/float64(ms(b))
	}
}

// ahead lists every case in which another client beats forbear.
func ahead(rows []lab.Row) string {
	var b strings.Builder
	b.WriteString("| scenario | in | forbear | ahead of it |\n|---|---|---|---|\n")
	for _, s := range lab.Scenarios() {
		ours, ok := of(rows, s.ID, peer.Forbear)
		if !ok {
			continue
		}
		for _, m := range measures() {
			var names []string
			for _, c := range peer.All() {
				if r, ok := of(rows, s.ID, c.Name); ok && m.by(r, ours) >= m.least {
					names = append(names, fmt.Sprintf("%s (%s)", starred(c), m.show(r)))
				}
			}
			if len(names) > 0 {
				fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.Name, m.name, m.show(ours), strings.Join(names, "; "))
			}
		}
	}
	return b.String()
}
