package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/peer"
)

// clients lists what is compared, and how each is set up.
func clients(versions map[string]string) string {
	var b strings.Builder
	b.WriteString("| client | version | set up |\n|---|---|---|\n")
	for _, c := range peer.All() {
		version := versions[c.Module]
		if c.Module == "" {
			version = "this tree"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", label(c), version, c.Setup)
	}
	return b.String()
}

// label is the name of a client, with a star if it is told the limit.
func label(c peer.Client) string {
	if c.Name == peer.Forbear {
		return "**" + c.Name + "**"
	}
	return starred(c)
}

func starred(c peer.Client) string {
	if c.Told {
		return c.Name + " *"
	}
	return c.Name
}

// of returns the row of a client in a scenario.
func of(rows []lab.Row, scenario, client string) (lab.Row, bool) {
	for _, r := range rows {
		if r.Scenario == scenario && r.Client == client {
			return r, true
		}
	}
	return lab.Row{}, false
}

// overview has a queue for each client and a column for each scenario, a few to a
// table.
func overview(rows []lab.Row) string {
	var b strings.Builder
	const wide = 6
	all := lab.Scenarios()
	for from := 0; from < len(all); from += wide {
		part := all[from:min(from+wide, len(all))]
		b.WriteString("| client |")
		for _, s := range part {
			fmt.Fprintf(&b, " %s |", s.Name)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(part)) + "\n")
		for _, c := range peer.All() {
			fmt.Fprintf(&b, "| %s |", label(c))
			for _, s := range part {
				fmt.Fprintf(&b, " %s |", cell(rows, s.ID, c))
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(rows []lab.Row, scenario string, c peer.Client) string {
	r, ok := of(rows, scenario, c.Name)
	if !ok {
		return "–"
	}
	text := percent(r.RefusedShare()) + ", "
	if r.Possible > 0 {
		text += percent(r.UsedShare())
	} else {
		text += fmt.Sprintf("%d sent", r.Requests)
	}
	if c.Name == peer.Forbear {
		return "**" + text + "**"
	}
	return text
}

// percent writes 0 and 100 only for what is exactly that.
func percent(share float64) string {
	switch {
	case share == 0:
		return "0"
	case share == 1:
		return "100 %"
	case share < .0001:
		return "< 0.01 %"
	case share > .9999:
		return "> 99.99 %"
	case share < .01 || share > .99:
		return fmt.Sprintf("%.2f %%", 100*share)
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// details has a table for each scenario.
func details(rows []lab.Row) string {
	var b strings.Builder
	for _, s := range lab.Scenarios() {
		open := s.Arrivals != nil
		fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n", html(s.Name))
		b.WriteString("| client | sent | refused | admitted | possible | failed calls | wait p50 | wait p99 |")
		if !open {
			b.WriteString(" half time: least | median |")
		}
		b.WriteString("\n|---|" + strings.Repeat("--:|", 7))
		if !open {
			b.WriteString("--:|--:|")
		}
		b.WriteString("\n")
		for _, c := range peer.All() {
			r, ok := of(rows, s.ID, c.Name)
			if !ok {
				continue
			}
			possible := "–"
			if r.Possible > 0 {
				possible = strconv.Itoa(r.Possible)
			}
			fmt.Fprintf(&b, "| %s | %d | %d | %d | %s | %d | %s | %s |", label(c), r.Requests, r.Refused, r.Admitted, possible, r.Failed, wait(r.P50), wait(r.P99))
			if !open {
				fmt.Fprintf(&b, " %d | %d |", r.HalfLeast, r.HalfMedian)
			}
			b.WriteString("\n")
		}
		b.WriteString("\n</details>\n\n")
	}
	return b.String()
}

func wait(ms int) string {
	if ms < 1000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%.1f s", (time.Duration(ms) * time.Millisecond).Seconds())
}

// html turns the code marks of a name into tags, as a summary is not Markdown.
func html(name string) string {
	var b strings.Builder
	for i, part := range strings.Split(name, "`") {
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return b.String()
}
