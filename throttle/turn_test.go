package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Keys so small that a process gets a handful of requests a window.
func TestSmallSharedQuotas(t *testing.T) {
	skipUnderRace(t)
	delta := epochSeconds
	delta.epoch = false
	near := [2]time.Duration{2 * time.Millisecond, 3 * time.Millisecond}
	far := [2]time.Duration{40 * time.Millisecond, 80 * time.Millisecond}
	for _, c := range []struct {
		name               string
		limit              int
		length             time.Duration
		processes, callers int
	}{
		{"20 in 5 s, two", 20, 5 * time.Second, 2, 10},
		{"50 in 10 s, three", 50, 10 * time.Second, 3, 20},
		{"30 in 10 s, five", 30, 10 * time.Second, 5, 5},
		{"60 a minute, four", 60, time.Minute, 4, 10},
		{"100 a minute, ten", 100, time.Minute, 10, 5},
	} {
		for _, trip := range [][2]time.Duration{near, far} {
			for _, announce := range []announcement{epochSeconds, delta} {
				t.Run(c.name, func(t *testing.T) {
					for seed := range uint64(5) {
						s := simulation{
							model:     func() ratemodel.Model { return ratemodel.NewFixed(c.limit, c.length) },
							processes: c.processes, callers: c.callers, announce: announce, fastest: trip[0], slowest: trip[1],
							start: into, length: 20*time.Minute - into, policy: DefaultPolicy(), seed: seed,
						}
						o := s.run()
						assert.LessOrEqual(t, o.refusals(), .02, "%v", o)
						assert.GreaterOrEqual(t, o.used(), .95, "%v", o)
						assert.GreaterOrEqual(t, o.jain(), .95, "%v", o)
					}
				})
			}
		}
	}
}

// Who waits for its turn beside one who does not gets nothing: no less is got than by
// bursts.
func TestNoTurnsBesideAGreedyClient(t *testing.T) {
	s := simulation{model: minutes(400), naiveCallers: 10, announce: epochSeconds, callers: 10, start: into,
		length: 30*time.Minute - into, policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
	o := s.run()
	t.Log(o)
	assert.GreaterOrEqual(t, o.admitted, 3000, "a quarter of 12,000: %v", o)
}

// taking returns a script of a client that took turns with another one for three minutes
// and is at the beginning of the fourth, at 180 s.
func taking(t *testing.T, each int) *script {
	s := newScript(t, DefaultPolicy())
	for m := range 3 {
		start := float64(60 * m)
		left := 400
		for i := range each {
			now := start + .1 + float64(i)*50/float64(each)
			i := s.sends(now)
			left -= 2
			s.hears(now+.05, i, minute(400, left, start+60))
		}
	}
	s.hears(180.15, s.sends(180.1), minute(400, 398, 240))
	v := s.k.windows[0].view(s.k, s.k.instant(at(180.2)))
	require.True(t, s.k.windows[0].contention.TakesTurns(&v))
	return s
}

// sends lets a request go at s, whatever the limiter says, and returns its index.
func (s *script) sends(seconds float64) int {
	s.k.Ask(at(seconds), 1)
	s.tickets = append(s.tickets, s.k.Take(at(seconds), 1))
	return len(s.tickets) - 1
}

// Turns are voluntary: a request that cannot wait for its own may go on credit.
func TestTurnsAreVoluntary(t *testing.T) {
	s := taking(t, 150)
	a := s.k.Ask(at(180.16), 1)
	assert.Equal(t, "minute", a.Limit)
	assert.Positive(t, a.Paced, "nothing but pacing keeps it")
	assert.WithinDuration(t, at(180.25), a.At, 20*time.Millisecond, "60 s for 398")
}

// A client that needs much less than its part does not wait for turns.
func TestALightLoadTakesNoTurns(t *testing.T) {
	s := taking(t, 15)
	for range 10 {
		s.goes(180.16)
	}
}

// A client that asked not to be paced takes no turns.
func TestBurstsTakeNoTurns(t *testing.T) {
	s := taking(t, 150)
	s.k.policy = plain()
	s.goes(180.16)
	s.goes(180.16)
}
