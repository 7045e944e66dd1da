package limit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRelax(t *testing.T) {
	now := time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)
	in := now.Add
	var long Demand
	noWait := Demand{Left: -1}
	second := Demand{Left: sec}
	waited := Demand{Waited: 300 * ms, Left: time.Hour}
	paced := Decision{At: in(2 * sec), Limit: "l", Paced: 500 * ms}
	belief := Decision{At: in(time.Minute), Until: in(time.Hour), Limit: "l"}
	tried := Decision{At: in(time.Minute), Until: in(time.Hour), Limit: "l", Try: true}
	word := Decision{At: in(time.Minute), Limit: "l", Try: true}
	closed := Decision{At: in(time.Minute), Limit: "l"}
	for _, c := range []struct {
		name string
		d    Decision
		r    Demand
		want time.Duration
	}{
		{"a limit holds whoever comes", closed, noWait, time.Minute},
		{"pacing holds a request for a bounded time", paced, long, 500 * ms},
		{"of which some may be over", paced, waited, 200 * ms},
		{"pacing may be shorter than that", Decision{At: in(100 * ms), Paced: 500 * ms}, long, 100 * ms},
		{"pacing does not hold a request that cannot wait so long", paced, second, 0},
		{"nor one that cannot wait", paced, noWait, 0},
		{"a belief is tried by a request that can wait for the limit", belief, long, time.Minute},
		{"but not by one that cannot", belief, second, time.Hour},
		{"unless it may go at once", tried, second, 0},
		{"one that can wait does not go at once", tried, long, time.Minute},
		{"a word is tried at once by a request that cannot wait", word, second, 0},
		{"and not by one that can", word, long, time.Minute},
	} {
		d := c.d
		d.Relax(now, &c.r)
		assert.Equal(t, c.want, d.At.Sub(now), c.name)
		again := d
		again.Relax(now, &c.r)
		assert.Equal(t, d, again, "the second time: %s", c.name)
	}
}

// fixed gives the same decision to all.
type fixed struct {
	NoHooks

	d Decision
}

func (f fixed) Ask(time.Time, Demand) Decision { return f.d }
func (fixed) Take(time.Time, Demand)           {}

// Pacing that a request has no patience for does not hide a limit that holds it for less long.
func TestAllRelaxesEachOfItsParts(t *testing.T) {
	now := time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)
	both := All(fixed{d: Decision{At: now.Add(time.Minute), Limit: "pacing", Paced: sec}}, fixed{d: Decision{At: now.Add(10 * sec), Limit: "closed"}})
	d := both.Ask(now, Demand{Left: 20 * sec})
	assert.Equal(t, "closed", d.Limit)
	assert.Equal(t, now.Add(10*sec), d.At)
}
