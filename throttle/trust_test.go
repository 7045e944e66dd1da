package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
)

// requestsIn returns how many requests go within so many seconds, each answered after a tenth
// of one, from as many callers.
func requestsIn(s *script, callers int, from, to float64, answer func(n int) header.Reading) (sent int) {
	for now := from; now < to; now += .1 {
		var flying []int
		for len(flying) < callers && !s.k.Ask(at(now), 1).At.After(at(now)) {
			flying = append(flying, s.goes(now))
		}
		for _, i := range flying {
			sent++
			s.hears(now+.099, i, answer(sent))
		}
	}
	return sent
}

// hours is what a server says of a window of two hours that ends at reset.
func hours(limit, remaining int, reset float64) header.Reading {
	r := minute(limit, remaining, reset)
	r.Windows[0].Length = 2 * time.Hour
	return r
}

// refusedBeyond returns what a server says of the nth request if it serves no more than so many.
func refusedBeyond(most, n int, r header.Reading) header.Reading {
	if r.Refused = n > most; r.Refused {
		r.Windows[0].Remaining.Value = 0
	}
	return r
}

// What remains says nothing of a limit where it does not fall as requests are sent, and so it
// does not hold requests for long.
func TestWhatRemainsHasToFall(t *testing.T) {
	for name, remaining := range map[string]func(n int) int{
		"always one":  func(int) int { return 1 },
		"five or ten": func(n int) int { return 5 + 5*(n%2) },
		"around":      func(n int) int { return 2 - n%3 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, plain())
			sent := requestsIn(s, 20, 0, 60, func(n int) header.Reading {
				return header.Reading{Windows: []header.Window{{Remaining: known(remaining(n))}}}
			})
			assert.Greater(t, sent, 10000, "of 12,000")
		})
	}
}

// A window that counts what is sent is believed without a test, until it has held requests back for long.
func TestAWindowThatCountsIsBelieved(t *testing.T) {
	s := newScript(t, plain())
	first := s.goes(0)
	s.hears(.1, first, hours(50, 40, 3600)) // others spent before
	sent := requestsIn(s, 2, .2, 3590, func(n int) header.Reading { return refusedBeyond(40, n, hours(50, 40-n, 3600)) })
	assert.Equal(t, 40+2, sent)
}

// A window that opens when it was to is no contradiction, also where it is called another
// period's.
func TestAnOpeningThatWasAnnouncedIsNoContradiction(t *testing.T) {
	s := newScript(t, plain())
	opened, spent, refused := instant(-1), 0, 0
	requestsIn(s, 20, .05, 60, func(int) header.Reading {
		if now := s.k.lastSent / second; now != opened {
			opened, spent = now, 0
		}
		spent++
		r := minute(30, max(30-spent, 0), float64(opened+1))
		if r.Refused = spent > 30; r.Refused {
			refused++
		}
		return r
	})
	assert.LessOrEqual(t, refused, 1, "one response in each window comes when it is over")
}

// Where one burst spends all that is left, responses cannot show that each request is counted.
// Nothing speaks against it, and so the window is believed for longer.
func TestABurstSpeaksForAWindow(t *testing.T) {
	s := newScript(t, plain())
	left := func(n int) header.Reading {
		r := hours(0, n, 3600)
		r.Windows[0].Limit = header.Count{}
		return r
	}
	s.hears(.1, s.goes(0), left(8))
	sent := requestsIn(s, 20, .2, 590, func(n int) header.Reading { return refusedBeyond(8, n, left(8-n)) })
	assert.Equal(t, 8+1, sent)
}

// A window of which nothing is seen but that nothing is left is tested once, and when a refusal confirms it,
// hardly any more.
func TestARefusalConfirmsAWindow(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), hours(50, 0, 3600))
	sent := requestsIn(s, 20, .2, 3590, func(int) header.Reading {
		r := hours(50, 0, 3600)
		r.Refused = true
		return r
	})
	assert.Equal(t, 1+2, sent)
}

// Where refusals do not name the limit, tests are rare.
func TestTestsAreRareWhereTheyAreRefused(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), hours(50, 0, 7200))
	sent := requestsIn(s, 20, .2, 7190, func(int) header.Reading { return header.Reading{Refused: true} })
	assert.Greater(t, sent, 8)
	assert.Less(t, sent, 17)
}

// A key whose windows proved wrong is not held by the next one for long either.
func TestOtherWindowsOfALiarAreTestedSoon(t *testing.T) {
	s := newScript(t, plain())
	sent := requestsIn(s, 20, 0, 120, func(n int) header.Reading {
		r := hours(50, 0, 3600)
		if n > 500 {
			r.Windows[0].Name = "another"
		}
		return r
	})
	assert.Greater(t, sent, 20*10*50)
}

// The same of windows of tokens, which are believed for two minutes.
func TestUnitsThatDoNotFall(t *testing.T) {
	s := newScript(t, plain())
	tokens := header.Reading{Windows: []header.Window{{Unit: "tokens", Limit: known(1000), Remaining: known(0), Reset: minute(1, 0, 3600).Windows[0].Reset}}}
	sent := requestsIn(s, 20, 0, 120, func(int) header.Reading { return tokens })
	assert.Less(t, sent, 30)
	sent = requestsIn(s, 20, 120, 180, func(int) header.Reading { return tokens })
	assert.Greater(t, sent, 20*10*45)
}
