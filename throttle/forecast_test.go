package throttle

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A forecasts holds what was forecast, until it has happened.
type forecasts struct {
	open []forecast
	n    int

	late          int // happened before it was forecast
	all, foreseen time.Duration
}

type forecast struct {
	made, at instant
	number   int64 // of the request
	ahead    int
}

// watch makes a forecast now and then, and compares those that have come true.
func (f *forecasts) watch(_ time.Duration, k *Limiter) {
	now := k.heard
	f.open = slices.DeleteFunc(f.open, func(c forecast) bool {
		if k.sent < c.number {
			return false
		}
		if c.at-now > (c.at-c.made)/10+100*millisecond {
			f.late++
		}
		if c.ahead > 0 {
			f.all += time.Duration(now - c.made)
			f.foreseen += time.Duration(max(min(c.at, now)-c.made, 0))
		}
		return true
	})
	if f.n++; f.n%7 == 0 {
		for _, ahead := range []int{0, 3, 50, 700} {
			c := forecast{made: now, at: now, number: k.sent + int64(ahead) + 1, ahead: ahead}
			if d := k.Forecast(k.time(now), ahead); !d.At.IsZero() {
				c.at = k.instant(d.At)
			}
			f.open = append(f.open, c)
		}
	}
}

// TestForecasts requires of random servers that few requests go much before a forecast said, and that forecasts
// foresee most of the time that passes where it is the server that makes requests wait.
func TestForecasts(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	made, late, foreseen := 0, 0, 0.0
	const runs = 60
	for seed := range uint64(runs) {
		var f forecasts
		s, words := random(seed)
		s.callers, s.think, s.watch = 20, 0, f.watch
		s.run()
		made, late = made+f.n/7*4, late+f.late
		assert.LessOrEqual(t, 20*f.late, f.n/7*4+120, words) // a refused test of what is said holds up some
		foreseen += float64(f.foreseen) / float64(max(f.all, 1))
		t.Logf("%s: %d late, %.2f foreseen", words, f.late, float64(f.foreseen)/float64(f.all))
	}
	t.Logf("%d made, %d late, %.2f foreseen", made, late, foreseen/runs)
	assert.Less(t, late, made/500)
	assert.Greater(t, foreseen, 0.4*runs)
}
