package main

import (
	"fmt"
	"strings"

	"github.com/forbear-go/forbear/internal/lab"
)

// served lists what real servers said, and how forbear fared with them.
func served(all []lab.Served) string {
	var b strings.Builder
	b.WriteString("| server | allows | says on success | says on a refusal | sent | refused | failed calls | admitted a second |\n")
	b.WriteString("|---|---|---|---|--:|--:|--:|--:|\n")
	for _, s := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d | %d | %.1f of %.1f |\n",
			s.Server, s.Setup, lines(s.Admits), lines(s.Refuses), s.Sent, s.Refused, s.Failed, s.Rate, s.Allowed)
	}
	return b.String()
}

// lines writes the fields of a response in a cell of a table, without its status.
func lines(said string) string {
	fields := strings.Split(said, "\n")[1:]
	if len(fields) == 0 {
		return "nothing"
	}
	return "`" + strings.Join(fields, "`<br>`") + "`"
}
