package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// The server's time is never shortened, and lengthened by a twentieth and a second
// at most.
func TestARefusalIsObeyed(t *testing.T) {
	for _, wait := range []time.Duration{time.Second, 30 * time.Second, time.Hour, 100 * 365 * 24 * time.Hour} {
		s := newScript(t, plain())
		s.hears(.1, s.goes(0), refusal(wait))
		until := s.waits(.2, Refusal)
		assert.False(t, until.Before(at(.1).Add(wait)), "%v", wait)
		assert.False(t, until.After(at(.1).Add(wait+min(wait/20, time.Second))), "%v", wait)
		assert.Equal(t, until, s.k.Status(at(.2)).Hold)
	}
}

// A server may ask all to stay away although it served the request. It refused no
// request, so none goes ahead to try.
func TestAPauseIsObeyed(t *testing.T) {
	for _, pause := range []time.Duration{time.Second, 10 * time.Second, time.Hour} {
		s := newScript(t, plain())
		s.hears(.1, s.goes(0), header.Reading{Paused: true, Wait: header.Wait{Delay: pause, Explicit: true, Reset: header.Reset{In: pause, Resolution: time.Second}}})
		until := s.waits(.2, Refusal)
		assert.False(t, until.Before(at(.1).Add(pause)), "%v", pause)
		assert.False(t, until.After(at(.1).Add(pause+min(pause/20, time.Second))), "%v", pause)
		assert.Zero(t, s.k.Status(at(.2)).Refusals)
		later := .1 + 1.06*pause.Seconds()
		s.goes(later)
		s.goes(later)
		assert.Equal(t, Lesson{}, s.k.Lesson(at(later)))
	}
}

func TestAfterARefusalOneGoesFirst(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), refusal(2*time.Second))
	probe := s.goes(5)
	s.waits(5, FirstAnswer)
	s.hears(5.1, probe, header.Reading{})
	s.goes(5.2)
}

func TestRefusalsInARowDouble(t *testing.T) {
	s := newScript(t, plain())
	now := 0.
	for n, want := range []float64{1, 1, 2, 8, 16} {
		s.hears(now, s.goes(now), refusal(0))
		assert.Equal(t, n+1, s.k.Status(at(now)).Refusals)
		wait := s.waits(now, Refusal).Sub(at(now)).Seconds()
		assert.InDelta(t, want*1.05, wait, want*.0501, "refusal %d", n+1)
		now += wait + .001
	}
	s.hears(now, s.goes(now), header.Reading{})
	assert.Zero(t, s.k.Status(at(now)).Refusals)
}

// refuses has a server that says nothing but no refuse all that is sent until it opens, and
// returns when requests were sent.
func refuses(t *testing.T, p Policy, from, open float64) (tried []float64) {
	s := newScript(t, p)
	s.hears(from, s.goes(from), dated(refusal(0), from))
	for now := from; now < open; {
		now = s.waits(now, Refusal).Sub(at(0)).Seconds() + .001
		tried = append(tried, now)
		s.hears(now, s.goes(now), dated(refusal(0), now))
		require.Less(t, len(tried), 100)
	}
	return tried
}

// dated has the server tell its time.
func dated(r header.Reading, now float64) header.Reading {
	r.Date = at(now).Truncate(time.Second)
	return r
}

// Most windows open with a full minute of the server's clock, and long ones with a full hour. A
// wait of which the server said nothing does not miss it: it is tried shortly before and after.
func TestASilentServerIsTriedWhenItsMinuteIsOver(t *testing.T) {
	for from := range 54 {
		tried := refuses(t, plain(), float64(from), 60)
		after, before := tried[len(tried)-1], tried[len(tried)-2]
		assert.Less(t, after, 61.3, "from %d: %v", from, tried)
		assert.LessOrEqual(t, len(tried), 8, "from %d: %v", from, tried)
		if from < 50 {
			assert.Greater(t, before, 57., "from %d: %v", from, tried)
		}
	}
	for _, from := range []float64{30, 600, 1800, 3000} {
		tried := refuses(t, plain(), from, 3600)
		assert.Less(t, tried[len(tried)-1], 3602., "from %v: %v", from, tried)
		assert.LessOrEqual(t, len(tried), 36, "from %v: %v", from, tried)
	}
	constant := func(int) time.Duration { return 50 * time.Second }
	assert.InDeltaSlice(t, []float64{50, 100, 150, 200}, refuses(t, Policy{Backoff: constant}, 0, 160), .1, "a policy of one's own")
}

// As many responses may report a congestion as were under way. It counts once.
func TestOneCongestionCountsOnce(t *testing.T) {
	asked := []int{}
	s := newScript(t, Policy{Backoff: func(n int) time.Duration { asked = append(asked, n); return 7 * time.Second }})
	s.hears(.1, s.goes(0), header.Reading{})
	for range 10 {
		s.goes(.2)
	}
	for i := 1; i <= 10; i++ {
		s.hears(.3, i, refusal(0))
	}
	assert.Equal(t, []int{1}, asked)
	assert.Equal(t, at(7.3), s.waits(.4, Refusal))
	// But a later word of the server counts, if it asks for more.
	s = newScript(t, plain())
	s.hears(.1, s.goes(0), header.Reading{})
	a, b := s.goes(.2), s.goes(.2)
	s.hears(.3, a, refusal(30*time.Second))
	s.hears(.4, b, refusal(5*time.Second))
	assert.False(t, s.waits(.5, Refusal).Before(at(30.3)))
}

func TestABackoffOfNothingIsNoBackoff(t *testing.T) {
	for _, wait := range []time.Duration{0, -time.Hour, 1<<63 - 1} {
		s := newScript(t, Policy{Backoff: func(int) time.Duration { return wait }})
		s.hears(.1, s.goes(0), refusal(0))
		s.waits(.1, Refusal)
	}
}

// A refusal that turned out to concern other requests is forgotten; what is announced is not.
func TestForgottenRefusals(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(10, 9, 60))
	s.hears(.3, s.goes(.2), refusal(time.Minute))
	s.waits(.4, Refusal)
	s.k.ForgetRefusals(at(.5))
	assert.Zero(t, s.k.Status(at(.5)).Refusals)
	s.goes(.5)
	assert.Len(t, s.k.Status(at(.5)).Windows, 1)
}
