package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A script drives a throttle by hand.
type script struct {
	t       *testing.T
	k       *Limiter
	tickets []Reservation
}

func newScript(t *testing.T, p Policy) *script {
	k, err := New(p, epoch)
	require.NoError(t, err)
	k.random.Seed(1, 2)
	return &script{t: t, k: k}
}

// at is a moment, in seconds after the epoch.
func at(s float64) time.Time { return epoch.Add(time.Duration(s * float64(time.Second))) }

// goes checks that a request may go at s, and sends it. It returns its index.
func (s *script) goes(seconds float64) int {
	s.t.Helper()
	require.Equal(s.t, limit.Decision{At: at(seconds)}, s.k.Ask(at(seconds), 1), "at %v", seconds)
	s.tickets = append(s.tickets, s.k.Take(at(seconds), 1))
	return len(s.tickets) - 1
}

// take sends a request at s, whether it may go or not. It returns its index.
func (s *script) take(seconds float64) int {
	s.tickets = append(s.tickets, s.k.Take(at(seconds), 1))
	return len(s.tickets) - 1
}

// waits checks that a request may not go at s, and for what it waits.
func (s *script) waits(seconds float64, name string) time.Time {
	s.t.Helper()
	a := s.k.Ask(at(seconds), 1)
	require.Equal(s.t, name, a.Limit, "at %v: %v", seconds, a)
	require.True(s.t, a.At.IsZero() || a.At.After(at(seconds)))
	assert.Equal(s.t, a, s.k.Ask(at(seconds), 1), "asking changes nothing")
	if !a.Until.IsZero() {
		return a.Until // before it, a request may test the limit
	}
	return a.At
}

// hears passes the answer to a request on.
func (s *script) hears(seconds float64, i int, r header.Reading) {
	r.Date = at(seconds).Truncate(time.Second)
	s.k.Observe(at(seconds), s.tickets[i], &r)
}

// minute is what a server says of a window of a minute that ends at reset.
func minute(limit, remaining int, reset float64) header.Reading {
	return header.Reading{Windows: []header.Window{{
		Name: "minute", Unit: "requests", Limit: known(limit), Remaining: known(remaining), Length: time.Minute,
		Reset: header.Reset{At: at(reset), Resolution: time.Millisecond},
	}}}
}

func known(n int) header.Count { return header.Count{Value: float64(n), State: header.Known} }

func refusal(wait time.Duration) header.Reading {
	r := header.Reading{Refused: true}
	if wait > 0 {
		r.Wait = header.Wait{Reset: header.Reset{In: wait, Resolution: time.Second}, Delay: wait, Explicit: true}
	}
	return r
}

func plain() Policy { return Policy{} }

func TestTheFirstRequestGoesAlone(t *testing.T) {
	s := newScript(t, plain())
	first := s.goes(0)
	assert.Equal(t, at(.24), s.waits(0, FirstAnswer), "for a quarter of a second at most")
	s.hears(.1, first, header.Reading{})
	for range 50 {
		s.goes(.1)
	}
}

func TestSlowFirstAnswersDoNotBlock(t *testing.T) {
	s := newScript(t, plain())
	s.goes(0)
	s.waits(.2, FirstAnswer)
	s.goes(.24)
	assert.Equal(t, at(.26), s.waits(.24, FirstAnswer))
	s.goes(.26)
	s.goes(.26)
	s.waits(.26, FirstAnswer)
	for range 12 {
		s.goes(.3)
	}
	s.waits(.3, FirstAnswer)
}

// After a refusal, the first request stays alone for longer than at the start.
func TestTheFirstRequestAfterARefusalGoesAlone(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), refusal(5*time.Second))
	opens := s.waits(1, Refusal).Sub(epoch).Seconds()
	s.goes(opens)
	s.waits(opens+.5, FirstAnswer)
}

// What the server refused of the requests that went before it answered, it does not count.
func TestRefusalsBeforeTheFirstResponseAreNotCounted(t *testing.T) {
	s := newScript(t, plain())
	flying := []int{s.goes(0), s.goes(.24), s.goes(.26), s.goes(.26)}
	s.hears(.4, flying[0], minute(2, 1, 60))
	s.hears(.5, flying[1], minute(2, 0, 60))
	r := refusal(0)
	r.Windows = minute(2, 0, 60).Windows
	assert.Equal(t, int64(4), s.k.windows[0].history.Sum())
	s.hears(.5, flying[2], r)
	s.hears(.5, flying[3], r)
	assert.Equal(t, int64(2), s.k.windows[0].history.Sum())
}

func TestCreditIsWhatRemainsLessWhatIsUncounted(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(10, 9, 60))
	var flying []int
	for range 9 {
		flying = append(flying, s.goes(.2))
	}
	s.waits(.2, "minute")
	// They were counted in another order than they were sent, and come back in a third.
	for i, remaining := range []int{0, 8, 4, 7, 1, 2, 3, 5, 6} {
		s.hears(.3, flying[i], minute(10, remaining, 60))
		s.waits(.3, "minute")
	}
	s.waits(59, "minute")
}

func TestAProbeGoesAtTheReset(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(10, 0, 60))
	opens := s.waits(1, "minute")
	assert.WithinDuration(t, at(60), opens, 1200*time.Millisecond, "the clock is known to about a second")
	after := opens.Sub(epoch).Seconds()
	probe := s.goes(after)
	s.waits(after, "minute")
	s.hears(after+.1, probe, minute(10, 0, 120))
	s.waits(after+.2, "minute")
}

func TestAbsentMalformedAndZeroDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		remaining header.Count
		waits     bool
	}{
		"absent":    {header.Count{}, false},
		"malformed": {header.Count{State: header.Malformed}, false},
		"unlimited": {header.Count{State: header.Unlimited}, false},
		"zero":      {known(0), true},
	} {
		s := newScript(t, plain())
		r := minute(10, 0, 60)
		r.Windows[0].Remaining = c.remaining
		s.hears(.1, s.goes(0), r)
		a := s.k.Ask(at(.2), 1)
		assert.Equal(t, c.waits, a.Limit != "", "%s: %v", name, a)
	}
}

func TestWhatACacheAnswersIsIgnored(t *testing.T) {
	s := newScript(t, plain())
	r := minute(10, 0, 60)
	r.Stale = true
	s.hears(.1, s.goes(0), r)
	second := s.goes(.1)
	s.waits(.1, FirstAnswer)
	s.hears(.2, second, minute(10, 8, 60))
	s.goes(.3)
}

func TestBelowTheThresholdRequestsArePaced(t *testing.T) {
	s := newScript(t, Policy{Threshold: Requests(6)})
	s.hears(.1, s.goes(0), minute(100, 7, 60))
	s.goes(1)
	s.waits(1, "minute") // six are left: one in about eight seconds
	next := s.waits(1, "minute")
	assert.WithinDuration(t, at(1+59./7), next, 500*time.Millisecond)
}

func TestTheReserveIsNeverSpent(t *testing.T) {
	s := newScript(t, Policy{Reserve: Requests(4)})
	s.hears(.1, s.goes(0), minute(10, 6, 60))
	s.goes(.2)
	s.goes(.2)
	s.waits(.2, "minute")
}

func TestTheLastWindowDecides(t *testing.T) {
	s := newScript(t, plain())
	r := minute(100, 0, 30)
	r.Windows = append(r.Windows, minute(1000, 0, 45).Windows...)
	r.Windows[1].Name = "hour"
	s.hears(.1, s.goes(0), r)
	assert.WithinDuration(t, at(45), s.waits(1, "hour"), 1200*time.Millisecond)
}

func TestConcurrencyIsNoPeriod(t *testing.T) {
	s := newScript(t, plain())
	r := header.Reading{Windows: []header.Window{{Name: "c", Unit: "concurrent-requests", Limit: known(2), Remaining: known(1)}}}
	s.hears(.1, s.goes(0), r)
	a := s.goes(1)
	s.goes(1)
	assert.True(t, s.waits(1, "c").IsZero(), "that depends on an answer")
	s.hears(1.1, a, r)
	s.goes(1.1)
}

// Nothing else may ever happen than that the answer is lost: then the wait ends.
func TestALostRequestFreesItsPlace(t *testing.T) {
	s := newScript(t, plain())
	r := header.Reading{Windows: []header.Window{{Name: "c", Unit: "concurrent-requests", Limit: known(1), Remaining: known(0)}}}
	s.hears(.1, s.goes(0), r)
	s.k.Abandon(at(2), s.tickets[s.goes(1)])
	until := s.waits(2, "c")
	require.False(t, until.IsZero())
	s.goes(until.Sub(epoch).Seconds())
}

// A reset in the year 9999 is none: the window is tried again now and then.
func TestAnAbsurdResetIsNone(t *testing.T) {
	s := newScript(t, plain())
	r := minute(10, 0, 60)
	r.Windows[0].Length = 0
	r.Windows[0].Reset = header.Reset{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Resolution: time.Second}
	s.hears(.1, s.goes(0), r)
	until := s.waits(.4, "minute")
	assert.True(t, !until.IsZero() && until.Before(at(100)), "%v", until)
}

func TestWhatCostsMoreThanTheLimitNeverGoes(t *testing.T) {
	s := newScript(t, Policy{Reserve: Requests(2)})
	s.hears(.1, s.goes(0), minute(10, 9, 60))
	assert.Equal(t, limit.Decision{Limit: "minute", Max: 8}, s.k.Ask(at(1), 9))
	assert.Empty(t, s.k.Ask(at(1), 5).Limit)
}

func TestReturnedRequestsCostNothing(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(10, 1, 60))
	i := s.goes(.2)
	s.waits(.2, "minute")
	s.k.Cancel(s.tickets[i])
	s.goes(.3)
	s.waits(.3, "minute")
	// The first of all can be returned too, and its place is free at once.
	s = newScript(t, plain())
	s.k.Cancel(s.tickets[s.goes(0)])
	s.goes(0)
}

func TestLostRequestsCountAsSentForAWhile(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(10, 2, 60))
	i := s.goes(.2)
	s.k.Abandon(at(.3), s.tickets[i])
	assert.Equal(t, 1, s.k.Status(at(.4)).InFlight)
	s.goes(.4)
	s.waits(.4, "minute")
	assert.Equal(t, 1, s.k.Status(at(10)).InFlight, "one answer is yet to come")
}

func TestALoweredLimitIsBelieved(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(100, 99, 60))
	s.hears(.3, s.goes(.2), minute(50, 0, 60))
	s.waits(.4, "minute")
	s = newScript(t, plain())
	s.hears(.1, s.goes(0), minute(100, 0, 60))
	s.waits(.2, "minute")
	probe := s.goes(s.waits(.2, "minute").Sub(epoch).Seconds())
	s.hears(61.5, probe, minute(5000, 4999, 120))
	for range 1000 {
		s.goes(61.6)
	}
}

func TestStragglersOfTheLastWindowAreDropped(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(3, 2, 60))
	late := s.goes(1)
	opened := s.goes(61.5)
	s.hears(61.6, opened, minute(3, 2, 120))
	s.hears(61.7, late, minute(3, 0, 60))
	s.goes(61.8) // and no more, because the late one may have been counted
	s.waits(61.8, "minute")
}

// A probe that a refusal bade, and that got lost, may be repeated: the window must
// not stay closed until its reset.
func TestALostProbeMayBeRepeated(t *testing.T) {
	now := epoch
	k, err := New(DefaultPolicy(), now)
	require.NoError(t, err)
	hears := func(ticket Reservation, remaining float64, wait time.Duration) {
		r := header.Reading{Windows: []header.Window{{
			Name: "default", Remaining: header.Count{Value: remaining, State: header.Known},
			Reset: header.Reset{In: time.Hour, Resolution: time.Second},
		}}}
		if wait > 0 {
			r.Refused, r.Wait = true, header.Wait{Reset: header.Reset{In: wait, Resolution: time.Second}, Delay: wait, Explicit: true}
		}
		now = now.Add(100 * time.Millisecond)
		k.Observe(now, ticket, &r)
	}
	hears(k.Take(now, 1), 50, 0)
	hears(k.Take(now, 1), 0, time.Second)

	now = now.Add(2 * time.Second)
	require.Empty(t, k.Ask(now, 1).Limit, "the refusal bade us come back by now")
	lost := k.Take(now, 1)
	now = now.Add(100 * time.Millisecond)
	k.Abandon(now, lost)
	answer := k.Ask(now, 1)
	require.False(t, answer.At.IsZero() || answer.At.After(now.Add(time.Minute)), "%v", answer)

	// An answer that says the window is exhausted ends that.
	now = answer.At
	hears(k.Take(now, 1), 0, 0)
	require.True(t, k.Ask(now, 1).At.After(now.Add(time.Minute)))
}
