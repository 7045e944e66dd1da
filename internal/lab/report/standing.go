package main

import (
	"fmt"
	"strings"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/peer"
)

// few is the share of refusals below which a client counts as one that keeps to the
// limit.
const few = .01

// standing says of each scenario with limits that are announced whether anybody is
// refused less than forbear, and whether anybody who is hardly refused uses more.
func standing(rows []lab.Row) string {
	var b strings.Builder
	b.WriteString("| scenario | refused | is it the least? | used | is it the most? |\n|---|--:|---|--:|---|\n")
	for _, s := range lab.Scenarios() {
		ours, ok := of(rows, s.ID, peer.Forbear)
		if !ok || s.Silent || ours.Possible == 0 {
			continue
		}
		var refused, used []string
		tied := 0
		for _, c := range peer.All() {
			r, ok := of(rows, s.ID, c.Name)
			if !ok || c.Name == peer.Forbear {
				continue
			}
			if r.RefusedShare() < ours.RefusedShare() {
				refused = append(refused, fmt.Sprintf("%s (%s)", starred(c), percent(r.RefusedShare())))
			}
			switch {
			case r.RefusedShare() >= few:
			case r.Admitted > ours.Admitted:
				used = append(used, fmt.Sprintf("%s (%s)", starred(c), percent(r.UsedShare())))
			case r.Admitted == ours.Admitted:
				tied++
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", s.Name,
			percent(ours.RefusedShare()), verdict(refused, 0), percent(ours.UsedShare()), verdict(used, tied))
	}
	return b.String()
}

// verdict says who is ahead, if anybody is, and how many have reached the same.
func verdict(ahead []string, tied int) string {
	switch {
	case len(ahead) > 0:
		return "**no**: " + strings.Join(ahead, "; ")
	case tied > 0:
		return fmt.Sprintf("yes, with %d more", tied)
	}
	return "yes"
}
