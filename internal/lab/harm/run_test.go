package harm

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// The same seed has the same result, another seed another; what is counted is what
// happened.
func TestRun(t *testing.T) {
	w := World{
		ID: "test", Span: time.Minute, Skip: 10 * time.Second, Callers: 4, Processes: 2,
		API: func(s *site) http.Handler { return s.shed(s.ok(), always(.1), refusal("Retry-After", "1")) },
	}
	plain := Clients()[0]
	row := run(t, w, plain, 1)
	assert.Equal(t, row, run(t, w, plain, 1))
	assert.NotEqual(t, row, run(t, w, plain, 2))
	assert.InDelta(t, .1, share(row.Failed, row.Sent), .03)
	assert.Zero(t, row.Refused)
	assert.InDelta(t, row.Sent-row.Failed, row.Served*6/5, float64(row.Sent)/20) // but for the first sixth of the time
	assert.InDelta(t, 1, row.Jain, .01)
	assert.InDelta(t, 1, row.Steady, .2)
}

// Callers that are away send nothing, and come back; those that are heedless rest for a second
// whatever an error says.
func TestCallersComeAndGo(t *testing.T) {
	w := World{
		Span: time.Minute, Callers: 2,
		API: func(s *site) http.Handler { return s.ok() },
		Away: func(caller int, since time.Duration) time.Duration {
			if caller == 1 && since < 30*time.Second {
				return 30*time.Second - since
			}
			return 0
		},
	}
	plain := Clients()[0]
	half := run(t, w, plain, 1)
	w.Away = nil
	assert.InDelta(t, .75, share(half.Sent, run(t, w, plain, 1).Sent), .02)
	forbear, _ := peer.Named(peer.Forbear)
	w.API = func(s *site) http.Handler { return s.shed(s.ok(), always(1), refusal("Retry-After", "3600")) }
	heeding := run(t, w, forbear, 1)
	w.Heedless = true
	assert.Greater(t, run(t, w, forbear, 1).Failed, 2*heeding.Failed)
}

// A limit's refusals are told from what is shed.
func TestRunAtALimit(t *testing.T) {
	w := World{
		ID: "test", Span: 3 * time.Minute,
		API:      func(s *site) http.Handler { return s.limit(s.ok(), rule(fixed(60, time.Minute), 0)) },
		Possible: greedy(1, fixed(60, time.Minute)),
	}
	row := run(t, w, Clients()[0], 1)
	assert.Equal(t, 240, row.Possible)
	assert.Equal(t, 240, row.Served)
	assert.Equal(t, row.Sent, row.Served+row.Refused)
	assert.InDelta(t, row.Refused, row.Failed, 20) // what the end cut off
}

func TestWorldsAreNamedApart(t *testing.T) {
	ids, names := map[string]bool{}, map[string]bool{}
	for _, w := range Worlds() {
		assert.False(t, ids[w.ID] || names[w.Name], w.ID)
		ids[w.ID], names[w.Name] = true, true
		assert.NotZero(t, w.Goal, w.ID)
		if w.Goal.Used > 0 {
			require.NotNil(t, w.Possible, w.ID)
		}
	}
	for id := range Gaps {
		assert.True(t, ids[id], "there is no world %s to have a gap", id)
	}
}

func TestMisses(t *testing.T) {
	g := Goal{Ratio: .95, Used: .9, Refused: .01, Jain: .9, Steady: .9}
	good := Row{Client: peer.Forbear, Sent: 1000, Served: 950, Possible: 1000, Refused: 10, Jain: 1, Steady: 1}
	retrying := Row{Client: Retrying, Served: 1000}
	assert.Empty(t, g.Misses(good, retrying))
	for word, spoil := range map[string]func(*Row){
		"served": func(r *Row) { r.Served, r.Possible = 940, 1000 }, "used": func(r *Row) { r.Possible = 1100 }, "refused": func(r *Row) { r.Refused = 11 },
		"fairness": func(r *Row) { r.Jain = .89 }, "steadiness": func(r *Row) { r.Steady = .5 }, "failed": func(r *Row) { r.Failed = 31 },
	} {
		bad := good
		spoil(&bad)
		assert.Contains(t, strings.Join(g.Misses(bad, retrying), ""), word)
	}
}

func TestJain(t *testing.T) {
	assert.InDelta(t, 1, jain([]int{5, 5, 5}), 1e-9)
	assert.InDelta(t, .333, jain([]int{15, 0, 0}), 1e-9)
	assert.InDelta(t, 1, jain([]int{0, 0}), 1e-9)
}

func TestMeter(t *testing.T) {
	now := time.Unix(0, 0)
	m := &meter{capacity: 100, left: 100, rate: 10}
	ok, left, full := m.spend(now, 60)
	assert.True(t, ok)
	assert.InDelta(t, 40, left, 1e-9)
	assert.Equal(t, 6*time.Second, full)
	ok, _, _ = m.spend(now, 41)
	assert.False(t, ok)
	ok, left, _ = m.spend(now.Add(3*time.Second), 41)
	assert.True(t, ok)
	assert.InDelta(t, 29, left, 1e-9)
	_, left, _ = m.spend(now.Add(time.Hour), 0)
	assert.InDelta(t, 100, left, 1e-9)
}

// A window of tokens is full again at its end, and not before.
func TestMeterOfAWindow(t *testing.T) {
	now := time.Unix(60, 0)
	m := &meter{capacity: 100, left: 100, window: time.Minute}
	ok, left, full := m.spend(now.Add(15*time.Second), 60)
	assert.True(t, ok)
	assert.InDelta(t, 40, left, 1e-9)
	assert.Equal(t, 45*time.Second, full)
	ok, _, _ = m.spend(now.Add(59*time.Second), 60)
	assert.False(t, ok)
	_, left, _ = m.spend(now.Add(time.Minute), 60)
	assert.InDelta(t, 40, left, 1e-9)
}
