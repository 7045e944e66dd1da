package main

import (
	"fmt"
	"strings"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/fleets"
)

func fleetPage() (string, []byte, error) {
	rows, err := lab.Read[fleets.Row](fleets.RowsFile)
	if err != nil {
		return "", nil, err
	}
	return fill("fleet.md", map[string]string{"fleets": fleetTable(rows)})
}

// fleetTable lists what processes reach that know of each other, and that do not.
func fleetTable(rows []fleets.Row) string {
	names := map[string]string{}
	for _, c := range fleets.All() {
		names[c.ID] = c.Name
	}
	alone := map[string]fleets.Row{}
	var b strings.Builder
	b.WriteString("| API | alone: refused | used | the least had | as a fleet: refused | used | the least had | calls, a request |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		if !r.Fleet {
			alone[r.Case] = r
			continue
		}
		a := alone[r.Case]
		fmt.Fprintf(&b, "| %s | %d | %.1f %% | %s | %d | %.1f %% | %s | %.2g |\n", names[r.Case],
			a.Refused, 100*a.Used, least(a), r.Refused, 100*r.Used, least(r), r.Calls)
	}
	return b.String()
}

// least says what the least process had beside an equal part, if all want the same.
func least(r fleets.Row) string {
	if r.Least < .025 {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100*r.Least)
}
