package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// A program that begins shortly before the windows open, and spends one of them at once,
// has the whole of the next: its answers said before which reset its requests counted.
func TestALateStartLosesNoWindow(t *testing.T) {
	for _, start := range []time.Duration{57 * time.Second, 58 * time.Second, 59 * time.Second, 59500 * time.Millisecond} {
		s := simulation{
			model: func() ratemodel.Model {
				minute, hour := ratemodel.NewFixed(600, time.Minute), ratemodel.NewFixed(15000, time.Hour)
				minute.Name, hour.Name = "minute", "hour"
				return ratemodel.All{minute, hour}
			},
			announce: announcement{wait: true, date: true, epoch: true, step: time.Second, lengths: true},
			callers:  40, start: start, length: 3*time.Minute - start, policy: Policy{},
			fastest: 200 * time.Microsecond, slowest: 4 * time.Millisecond,
		}
		got := s.run()
		t.Logf("from %v: %v", start, got)
		assert.Equal(t, 3*600, got.admitted)
		assert.Zero(t, got.refused)
	}
}

// An answer that tells no reset leaves open before which one its request counted, and so
// does one that never came.
func TestOnlyToldRequestsAreSettled(t *testing.T) {
	settled := func(s *script) float64 { return time.Duration(s.k.windows[0].settled).Seconds() }
	silent := map[string]func(s *script, i int){
		"answered without a word": func(s *script, i int) { s.hears(31, i, header.Reading{}) },
		"from a cache":            func(s *script, i int) { s.hears(31, i, header.Reading{Stale: true}) },
		"lost":                    func(s *script, i int) { s.k.Abandon(at(31), s.tickets[i]) },
	}
	for name, answer := range silent {
		s := newScript(t, plain())
		s.hears(.1, s.goes(0), minute(100, 99, 60))
		assert.InDelta(t, .1, settled(s), 1e-6, name)
		s.goes(20)
		s.hears(20.1, s.goes(20), minute(100, 97, 60))
		assert.InDelta(t, .1, settled(s), 1e-6, "one is under way")
		s.hears(20.2, 1, minute(100, 98, 60))
		assert.InDelta(t, 20.2, settled(s), 1e-6, name)

		answer(s, s.goes(30))
		s.hears(50.1, s.goes(50), minute(100, 95, 60))
		assert.InDelta(t, 20.2, settled(s), 1e-6, name)
		s.hears(70.1, s.goes(70), minute(100, 99, 120))
		assert.InDelta(t, 70.1, settled(s), 1e-6, "that was before this window")
	}
}
