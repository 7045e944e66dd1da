package harm

import (
	"fmt"
	"math"
	"time"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// File is where the results are, from the folder of the lab.
const File = "testdata/harm.json"

// A Row is what a client reached in a world.
type Row struct {
	World  string `json:"world"`
	Client string `json:"client"`
	// Sent is how many requests arrived, Served how many got what they wanted, Refused
	// how many a limit refused.
	Sent    int `json:"sent"`
	Served  int `json:"served"`
	Refused int `json:"refused"`
	// Possible is how many could have been served; 0 where it is not known.
	Possible int `json:"possible"`
	// Failed is how many calls ended with an error, or with a response of 400 or more.
	Failed int `json:"failed"`
	// Longest is the longest call, in seconds.
	Longest int `json:"longest_s"`
	// Starved is how many callers had no call that succeeded.
	Starved int `json:"starved"`
	// Jain is the fairness among processes, from 0 to 1.
	Jain float64 `json:"jain"`
	// Steady is what was served in the last sixth, in parts of the first.
	Steady float64 `json:"steady"`
}

// RefusedShare is the part of the requests that a limit refused.
func (r Row) RefusedShare() float64 { return share(r.Refused, r.Sent) }

// UsedShare is the part of what was possible that was served; 0 if that is not known.
func (r Row) UsedShare() float64 { return share(r.Served, r.Possible) }

// Of returns what was served in parts of what another client was.
func (r Row) Of(other Row) float64 { return share(r.Served, other.Served) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// fewFailed is how many calls, beside one in a hundred requests, may fail with forbear
// that do not with the retrying client: it says at once when a wait would be too long,
// to each caller.
const fewFailed = 20

// Misses says of what forbear reached, beside the retrying client, in what it falls short
// of the goal.
func (g Goal) Misses(ours, retrying Row) []string {
	var misses []string
	least := func(what string, got, want float64) {
		if want > 0 && got < want {
			misses = append(misses, fmt.Sprintf("%s %.2f, not %.2f", what, got, want))
		}
	}
	least("served", ours.Of(retrying), g.Ratio)
	least("used", ours.UsedShare(), g.Used)
	least("fairness", ours.Jain, g.Jain)
	least("steadiness", ours.Steady, g.Steady)
	most := int(float64(retrying.Failed)*max(1, ours.Of(retrying))) + ours.Sent/100 + fewFailed
	if ours.Failed > most { // of those that fail by themselves more do where more is done
		misses = append(misses, fmt.Sprintf("%d calls failed, not %d", ours.Failed, retrying.Failed))
	}
	if r := ours.RefusedShare(); r > g.Refused {
		misses = append(misses, fmt.Sprintf("refused %.2f %%, not %.2f %%", 100*r, 100*g.Refused))
	}
	return misses
}

func (s *site) row(w World, c peer.Client, tallies []tally) Row {
	row := Row{World: w.ID, Client: c.Name, Sent: s.sent, Served: s.served, Refused: s.refused, Jain: jain(s.each), Steady: 1}
	if s.sixths[0] > 0 {
		row.Steady = round(share(s.sixths[5], s.sixths[0]))
	}
	if w.Possible != nil {
		if n := w.Possible(s.from, s.until); n < math.MaxInt {
			row.Possible = n
		}
	}
	var longest time.Duration
	for _, t := range tallies {
		row.Failed += t.failed
		if t.succeeded == 0 {
			row.Starved++
		}
		longest = max(longest, t.longest)
	}
	row.Longest = int(longest.Round(time.Second).Seconds())
	return row
}

// jain is 1 when all got the same, 1/n when one got everything.
func jain(each []int) float64 {
	var sum, squares float64
	for _, n := range each {
		sum += float64(n)
		squares += float64(n) * float64(n)
	}
	if squares == 0 {
		return 1
	}
	return round(sum * sum / (squares * float64(len(each))))
}

func round(f float64) float64 { return math.Round(1000*f) / 1000 }
