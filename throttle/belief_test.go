package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// What says that nothing is left may be tried, at growing distances, by who cannot wait.
func TestABeliefMayBeTried(t *testing.T) {
	s := newScript(t, plain())
	left, empty := minute(10, 1, 7200), minute(10, 0, 7200)
	left.Windows[0].Length, empty.Windows[0].Length = 2*time.Hour, 2*time.Hour
	s.hears(.1, s.goes(0), left)
	s.hears(.3, s.goes(.2), empty)
	empty.Refused = true
	assert.False(t, s.k.Ask(at(59), 1).Try, "not at once")
	var tried []float64
	for now := 60.; now < 3600; now++ {
		if a := s.k.Ask(at(now), 1); a.Try || !a.At.After(at(now)) {
			if a.Try || len(tried) == 0 { // the first one need not be a try, and one that can wait tests it, too
				tried = append(tried, now)
			}
			i := len(s.tickets)
			s.tickets = append(s.tickets, s.k.Take(at(now), 1))
			assert.False(t, s.k.Ask(at(now), 1).Try, "one at a time")
			s.hears(now+.1, i, empty)
		}
	}
	require.GreaterOrEqual(t, len(tried), 5)
	for i := 2; i < len(tried); i++ {
		step, before := tried[i]-tried[i-1], tried[i-1]-tried[i-2]
		assert.GreaterOrEqual(t, step, before-1)
		assert.LessOrEqual(t, step, 601.)
	}
	// Once an answer says that much is left, it is.
	i := len(s.tickets)
	s.tickets = append(s.tickets, s.k.Take(at(4000), 1))
	full := minute(10, 9, 7200)
	full.Windows[0].Length = 2 * time.Hour
	s.hears(4000.1, i, full)
	for range 9 {
		s.goes(4000.2)
	}
}

// What has been so for most of a day is tried each few hours.
func TestADayIsTriedSeldom(t *testing.T) {
	s := newScript(t, plain())
	day := func(left int) header.Reading {
		r := minute(10, left, 80000)
		r.Windows[0].Length = 24 * time.Hour
		return r
	}
	s.hears(.1, s.goes(0), day(1))
	s.hears(.3, s.goes(.2), day(0))
	tries := 0
	for now := 60.; now < 72000; now += 20 {
		if s.k.Ask(at(now), 1).Try {
			tries++
			r := day(0)
			r.Refused = true
			s.hears(now+.1, s.take(now), r)
		}
	}
	t.Log(tries, "tries")
	assert.Less(t, tries, 40)
	assert.Greater(t, tries, 15)
}

// Of a window of which nothing was ever left, no response has shown that it counts requests: who
// cannot wait tries it soon, until that is refused.
func TestWhatNeverFellIsTriedSoon(t *testing.T) {
	for _, refused := range []bool{false, true} {
		s := newScript(t, plain())
		empty := minute(10, 0, 7200)
		empty.Windows[0].Length = 2 * time.Hour
		s.hears(.1, s.goes(0), empty)
		assert.False(t, s.k.Ask(at(1), 1).Try, "not at once")
		empty.Refused = refused
		for now := 3.; now < 7; now += 2 {
			assert.Equal(t, !refused || now == 3, s.k.Ask(at(now), 1).Try, "%v, refused: %v", now, refused)
			i := len(s.tickets)
			s.tickets = append(s.tickets, s.k.Take(at(now), 1))
			assert.False(t, s.k.Ask(at(now), 1).Try, "one at a time")
			s.hears(now+.1, i, empty)
		}
		assert.Equal(t, !refused, s.k.Ask(at(8), 1).Limit == "", "refused: %v", refused)
	}
}

// The first response of a limit of one request says that nothing is left, and is right.
func TestALimitOfOneFellAtOnce(t *testing.T) {
	s := newScript(t, plain())
	empty := minute(1, 0, 7200)
	empty.Windows[0].Length = 2 * time.Hour
	s.hears(.1, s.goes(0), empty)
	assert.False(t, s.k.Ask(at(5), 1).Try)
}

// The wait that a refusal asks for is tried after five minutes, and after half of the time that has passed
// since the first refusal; not again if it begins anew with that.
func TestARefusalIsTriedSeldom(t *testing.T) {
	for _, r := range []header.Reading{minute(10, 0, 7200), {}} {
		for _, renews := range []bool{false, true} {
			s := newScript(t, plain())
			r.Refused = true
			r.Wait = refusal(7200e9).Wait
			s.hears(.1, s.goes(0), r)
			var tries []float64
			for now := 30.; now < 7200; now += 30 {
				d := s.k.Ask(at(now), 1)
				require.Equal(t, Refusal, d.Limit)
				require.False(t, d.Admits(at(now)))
				if !d.Try {
					continue
				}
				tries = append(tries, now)
				i := s.take(now)
				require.False(t, s.k.Ask(at(now+.05), 1).Try, "one at a time")
				if !renews {
					r.Wait = refusal(time.Duration((7200 - now) * 1e9)).Wait
				}
				s.hears(now+.1, i, r)
			}
			if renews {
				assert.Equal(t, []float64{300}, tries)
			} else {
				assert.Equal(t, []float64{300, 600, 900, 1350, 2040, 3060, 4590, 6900}, tries)
			}
		}
	}
}

// One that is served opens what the refusal closed.
func TestATryThatIsServedOpens(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), refusal(7200e9))
	require.True(t, s.k.Ask(at(301), 1).Try)
	s.hears(301.1, s.take(301), header.Reading{})
	d := s.k.Ask(at(301.2), 1)
	assert.True(t, d.Admits(at(301.2)))
}

// A server that serves beyond its own limit has none.
func TestServedBeyondTheLimitIsNoLimit(t *testing.T) {
	s := newScript(t, plain())
	over := func(used int) header.Reading {
		return header.Reading{Windows: []header.Window{{Name: "day", Limit: known(100), Used: known(used), Remaining: known(0)}}}
	}
	s.hears(.1, s.goes(0), over(118))
	for i := range 20 {
		s.hears(1+float64(i), s.goes(1+float64(i)), over(119+i))
	}
	refused := over(140)
	refused.Refused = true
	s.hears(30.1, s.goes(30), refused)
	s.waits(30.2, Refusal)
	within := over(140)
	within.Windows[0].Limit = known(200)
	s.hears(35.1, s.goes(35), within)
	s.waits(35.2, "day")
}

// Nor has one that serves on with nothing left: after a minute one request goes, then twice as
// many with each round trip, until one is refused.
func TestServedWithNothingLeftIsNoLimit(t *testing.T) {
	s := newScript(t, plain())
	empty := minute(10, 0, 7200)
	empty.Windows[0].Length = 2 * time.Hour
	s.hears(.1, s.goes(0), empty)
	s.waits(59, "minute")
	var each []int
	for now := 65.; now < 69; now++ {
		var flying []int
		for len(flying) < 100 && !s.k.Ask(at(now), 1).At.After(at(now)) {
			flying = append(flying, s.goes(now))
		}
		each = append(each, len(flying))
		for _, i := range flying {
			s.hears(now+.1, i, empty)
		}
	}
	assert.Equal(t, []int{1, 2, 4, 8}, each)
	for now := 70.; now < 72; now++ {
		s.hears(now+.1, s.goes(now), empty)
		for range 14 {
			s.hears(now+.2, s.goes(now), empty)
		}
	}
	var flying []int
	for range 100 {
		flying = append(flying, s.goes(73))
	}
	refused := empty
	refused.Refused = true
	s.hears(73.1, flying[0], refused)
	s.waits(110, "minute")
}

func TestForget(t *testing.T) {
	s := newScript(t, plain())
	first := s.goes(0)
	s.hears(.1, first, minute(10, 1, 7200))
	flying := s.goes(.2)
	s.waits(.3, "minute")
	s.k.Forget(at(1))
	probe := s.goes(1)
	s.hears(1.1, flying, header.Reading{})
	s.hears(1.2, probe, header.Reading{})
	for range 20 {
		s.goes(1.3)
	}
	assert.Empty(t, s.k.Status(at(1.3)).Windows)
	// A hold is forgotten too.
	s.hears(1.4, s.goes(1.35), refusal(3600e9))
	s.waits(2, Refusal)
	s.k.Forget(at(2))
	s.goes(2)
}

// Where a server says no more than that nothing remains, or names a reset that is long over,
// and serves each probe all the same, requests do not wait for it. A refusal makes them
// wait again, and the next time it takes more probes.
func TestProbesThatAreServed(t *testing.T) {
	for name, says := range map[string]header.Window{
		"only what remains": {Unit: "requests", Remaining: header.Count{State: header.Known}},
		"a reset long ago": {Unit: "requests", Limit: header.Count{Value: 100, State: header.Known}, Remaining: header.Count{State: header.Known},
			Reset: header.Reset{At: epoch.Add(-time.Hour), Resolution: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, plain())
			r := header.Reading{Date: epoch, Windows: []header.Window{says}}
			now := 0.
			probe := func() (n int) {
				for ; n < 40; n++ {
					d := s.k.Ask(at(now), 1)
					if d.At.After(at(now)) {
						now = d.At.Sub(epoch).Seconds()
					}
					i := len(s.tickets)
					s.tickets = append(s.tickets, s.k.Take(at(now), 1))
					if d = s.k.Ask(at(now), 1); !d.Unknown && !d.At.After(at(now)) && n > 0 {
						return n // the next one need not wait for the response
					}
					now += .1
					r.Date = at(now).Truncate(time.Second)
					s.hears(now, i, r)
				}
				return n
			}
			first := probe()
			assert.Less(t, first, 10)
			refused := r
			refused.Refused = true
			s.hears(now+.1, len(s.tickets)-1, refused)
			now += 120
			assert.Greater(t, probe(), first)
		})
	}
}

// A wait that a refusal names by nothing but a reset is tried like any other word that nothing is left, more and
// more rarely, and ends with the first request that is served.
func TestAResetOfARefusalIsTried(t *testing.T) {
	s := newScript(t, plain())
	tell := func(remaining int, refused bool) header.Reading {
		r := minute(10, remaining, 7200)
		r.Windows[0].Length = 2 * time.Hour
		if r.Refused = refused; refused {
			r.Wait = header.Wait{Reset: r.Windows[0].Reset, Delay: 2 * time.Hour}
		}
		return r
	}
	s.hears(.1, s.goes(0), tell(1, false))
	s.hears(.3, s.goes(.2), tell(0, true))
	var tried []float64
	for now := 1.; now < 3600; now++ {
		if a := s.k.Ask(at(now), 1); a.Try || !a.At.After(at(now)) {
			tried = append(tried, now)
			s.hears(now+.1, s.take(now), tell(0, true))
		}
	}
	assert.Greater(t, len(tried), 5)
	assert.LessOrEqual(t, len(tried), 10)
	for now := 3600.; ; now++ {
		if s.k.Ask(at(now), 1).Try {
			s.hears(now+.1, s.take(now), tell(9, false))
			s.goes(now + .2)
			return
		}
	}
}

// What has been said for five minutes is tested although a request could wait for the reset, also where each
// response tells another one. An honest server refuses the test, which makes the next one come much later; one
// that serves on is soon believed to have no limit.
func TestWhatIsSaidForLongIsTested(t *testing.T) {
	for _, honest := range []bool{false, true} {
		s := newScript(t, plain())
		var tests []float64
		sent := 0
		for now := 0.; now < 2*3600 && sent < 1000; now++ {
			if s.k.Ask(at(now), 1).At.After(at(now)) {
				continue
			}
			i := s.goes(now)
			reset := now + 60
			if honest {
				reset = 7200
			}
			r := minute(10, max(9-sent, 0), reset)
			r.Windows[0].Length = 0
			if r.Refused = honest && sent > 9; s.tickets[i].test {
				tests = append(tests, now)
			}
			sent++
			s.hears(now+.1, i, r)
		}
		if honest {
			require.Len(t, tests, 3)
			assert.InDelta(t, 300, tests[0], 10)
			assert.InDelta(t, 1200, tests[1], 20)
			assert.InDelta(t, 3900, tests[2], 30)
		} else {
			assert.Len(t, tests, 4)
			assert.Equal(t, 1000, sent)
		}
	}
}

// A server may weigh the window before, so that a window of a day that has just opened has no room for hours. As long as
// nothing shows which of the two it is, one request tests whether it opens when it said that it would.
func TestAWaitBeyondTheResetIsTested(t *testing.T) {
	for _, weighed := range []bool{false, true} {
		s := newScript(t, plain())
		const limit, reset, day = 20, 1500., 24 * 3600.
		opens, sent, refused, served := reset, 0, 0, 0.
		if weighed {
			opens += day / limit
		}
		for now := 0.; served == 0 && now < 4*3600; now++ {
			if s.k.Ask(at(now), 1).At.After(at(now)) {
				continue
			}
			i := s.take(now)
			r := minute(limit, max(limit-sent-1, 0), reset)
			switch {
			case now >= opens:
				served = now
				r = minute(limit, limit-1, reset+day)
			case now > reset:
				refused++
				r = minute(limit, 0, reset+day)
				r.Refused = true
			case sent >= limit:
				r.Refused = true
			default:
				sent++
			}
			r.Windows[0].Length = 24 * time.Hour
			s.hears(now+.1, i, r)
		}
		assert.InDelta(t, opens+1, served, 10, weighed)
		assert.LessOrEqual(t, refused, 1, weighed)
	}
}
