package redisfleet

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"
)

// A result is what became of a scenario.
type result struct {
	refused, used       float64
	calls               int
	requests            int
	spread, jain, least float64
	cpu                 time.Duration // of the members, for a request
	took                []time.Duration
	redis               float64 // seconds of CPU a second
	seconds             float64
	still               time.Duration // the machine was, at the most
	members             []int         // what each was admitted
	windows, refusals   []int         // how many were admitted and refused in each window
	strangers, learning int           // admitted to others; and refused before it is settled
	possible            int
}

// count takes in what the server saw.
func (r *result) count(g *game) {
	r.members = make([]int, len(g.members))
	r.windows, r.refusals = make([]int, g.s.windows+1), make([]int, g.s.windows+1)
	by := make([][]int, len(g.members)) // member and window
	for i := range by {
		by[i] = make([]int, len(r.windows))
	}
	admitted, refused := 0, 0
	for _, q := range g.api.Requests() {
		w := min(int(q.Time.Sub(g.start)/g.s.per), g.s.windows) // none goes after the end
		m, err := strconv.Atoi(q.Header.Get(memberName))
		switch {
		case err != nil && q.Admitted:
			r.strangers++
		case err != nil:
		case q.Admitted:
			admitted++
			by[m][w]++
			r.members[m]++
			r.windows[w]++
		case q.Refused && w < g.s.settled:
			r.learning++
		case q.Refused:
			refused++
			r.refusals[w]++
		}
	}
	r.requests = admitted + refused + r.learning
	r.possible = g.s.possible - r.strangers
	r.refused, r.used = float64(refused)/float64(max(r.requests, 1)), float64(admitted)/float64(r.possible)
	least, most := slices.Min(r.members), slices.Max(r.members)
	r.spread = float64(most) / float64(max(least, 1))
	r.least = float64(least*len(r.members)) / float64(max(admitted, 1))
	r.jain = fairness(by)
	for _, d := range r.took {
		r.cpu += d / time.Duration(max(r.requests, 1))
	}
	r.redis = g.redis.cpu.Seconds() / r.seconds
}

// fairness returns Jain's index of what members had, of the five windows in turn in which it is least.
func fairness(by [][]int) float64 {
	const span = 5
	least := 1.0
	for w := 0; w+span <= len(by[0]); w++ {
		sum, squares := 0.0, 0.0
		for _, windows := range by {
			had := 0.0
			for _, n := range windows[w : w+span] {
				had += float64(n)
			}
			sum, squares = sum+had, squares+had*had
		}
		least = min(least, sum*sum/(float64(len(by))*max(squares, 1)))
	}
	return least
}

func (r *result) callsEach() float64 { return float64(r.calls) / float64(max(r.requests, 1)) }

func (r *result) String() string {
	s := fmt.Sprintf("refused %.3f %%, used %.2f %%, %.4f calls a request, max/min %.3f, Jain %.3f, the least %.2f of a part, %v of CPU a request, Redis %.2f %% of a core",
		100*r.refused, 100*r.used, r.callsEach(), r.spread, r.jain, r.least, r.cpu.Round(time.Microsecond), 100*r.redis)
	if r.strangers > 0 {
		s += fmt.Sprintf("; strangers had %d", r.strangers)
	}
	if r.learning > 0 {
		s += fmt.Sprintf("; %d refused at first", r.learning)
	}
	var cpu []int64
	for _, d := range r.took {
		cpu = append(cpu, d.Milliseconds())
	}
	return s + fmt.Sprintf("\n\tadmitted by member %v, by window %v; refused by window %v; ms of CPU %v; the machine stood still for %v", r.members, r.windows, r.refusals, cpu, r.still.Round(time.Millisecond))
}

// check compares it with what must be.
func (r *result) check(t testing.TB, want bounds) {
	t.Helper()
	for _, c := range []struct {
		name        string
		is, at, not float64 // at the least, and at the most
	}{
		{"refused", r.refused, 0, want.refused},
		{"used", r.used, want.used, math.Inf(1)},
		{"calls a request", r.callsEach(), 0, want.calls},
		{"max/min", r.spread, 0, want.spread},
		{"Jain", r.jain, want.jain, math.Inf(1)},
		{"the least part", r.least, want.least, math.Inf(1)},
		{"CPU of the store", r.redis, 0, want.redis},
	} {
		if c.is < c.at || c.is > c.not && (c.not > 0 || c.name == "refused") {
			t.Errorf("%s: %.4f, want %.4f to %.4f", c.name, c.is, c.at, c.not)
		}
	}
}
