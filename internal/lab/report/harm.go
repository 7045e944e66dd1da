package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/harm"
	"github.com/forbear-go/forbear/internal/lab/peer"
)

// notHonest lists the worlds of package harm: what was served and refused with each client, what
// forbear must reach, and what it misses.
func notHonest() (string, error) {
	rows, err := lab.Read[harm.Row](harm.File)
	if err != nil {
		return "", err
	}
	by := map[[2]string]harm.Row{}
	for _, r := range rows {
		by[[2]string{r.World, r.Client}] = r
	}
	var b strings.Builder
	b.WriteString("| API |")
	for _, c := range harm.Clients() {
		fmt.Fprintf(&b, " %s |", label(c))
	}
	b.WriteString(" possible | forbear must | it does |\n|---|")
	b.WriteString(strings.Repeat("--:|", len(harm.Clients())+1) + "---|---|\n")
	missed := 0
	for _, w := range harm.Worlds() {
		fmt.Fprintf(&b, "| %s |", w.Name)
		for _, c := range harm.Clients() {
			r := by[[2]string{w.ID, c.Name}]
			text := fmt.Sprintf("%d, %s", r.Served, percent(r.RefusedShare()))
			if c.Name == peer.Forbear {
				text = "**" + text + "**"
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		ours, retrying := by[[2]string{w.ID, peer.Forbear}], by[[2]string{w.ID, harm.Retrying}]
		possible := "–"
		if ours.Possible > 0 {
			possible = strconv.Itoa(ours.Possible)
		}
		reached := "yes"
		if misses := w.Goal.Misses(ours, retrying); len(misses) > 0 {
			reached = "**no**: " + strings.Join(misses, "; ")
			missed++
		}
		fmt.Fprintf(&b, " %s | %s | %s |\n", possible, demands(w.Goal), reached)
	}
	const words = "forbear misses its goal in %d of %d; and of %d [random worlds](../internal/lab/harm/random_test.go), in which honest limiters " +
		"of all kinds meet shedding, slow nodes, routes, costs and jumping clocks, in %d.\n\n%s"
	return fmt.Sprintf(words, missed, len(harm.Worlds()), harm.RandomWorlds, len(harm.RandomGaps), b.String()), nil
}

// demands says what a goal asks for.
func demands(g harm.Goal) string {
	var all []string
	least := func(format string, want float64) {
		if want > 0 {
			all = append(all, fmt.Sprintf(format, want))
		}
	}
	least("serve ≥ %.2f of "+harm.Retrying+"'s", g.Ratio)
	least("use ≥ %.2f", g.Used)
	least("share fairly, ≥ %.2f", g.Jain)
	least("stay steady, ≥ %.2f", g.Steady)
	if g.Refused > 0 {
		all = append(all, "be refused ≤ "+percent(g.Refused))
	}
	return strings.Join(all, ", ")
}
