package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// While nobody else spends the quota, no request is refused either when some go ahead
// of their coming, whatever algorithm the server uses.
func TestNeverRefusedByRandomServersThatWeBorrowFrom(t *testing.T) {
	refused, sent, lent, bad := 0, 0, 0, 0
	if raceEnabled {
		*servers = min(*servers, 50) // a simulation has one goroutine
	}
	for seed := range uint64(*servers) {
		s, words := random(seed)
		s.lends = true
		o := s.run()
		sent, refused, lent = sent+o.sent, refused+o.refused, lent+o.lent
		if o.refused > 0 || o.stuck {
			bad++
			if bad < 30 {
				t.Errorf("%s\n\t%v, stuck %v", words, o, o.stuck)
			}
		}
	}
	t.Logf("%d bad, %d sent, %d lent, %d refused", bad, sent, lent, refused)
	require.Greater(t, lent, sent/20, "too few to prove anything")
}

// hurried returns a script of a program that sent forty requests in a tenth of a
// second, all of which are answered; of its limit of 1000 a minute so many are left.
func hurried(t *testing.T, p Policy, left int) *script {
	s := newScript(t, plain())
	s.hears(.001, s.goes(0), minute(1000, left+40, 60))
	for n := range 40 {
		now := .02 + float64(n)/400
		s.hears(now+.0001, s.goes(now), minute(1000, left+39-n, 60))
	}
	require.Greater(t, s.k.gap, millisecond, "2.5 ms apart")
	for range 40 {
		s.k.paced(millisecond / 10)
	}
	s.k.policy = p
	s.k.windows[0].threshold, s.k.windows[0].reserve = p.Threshold.of(1000), p.Reserve.of(1000)
	return s
}

func TestOneInAHurryBorrows(t *testing.T) {
	s := hurried(t, DefaultPolicy(), 900)
	loan := s.k.Lend(at(.2))
	assert.Equal(t, lendMost, loan.N)
	assert.Equal(t, at(.21), loan.Until)
	assert.Zero(t, loan.InFlight)
	assert.True(t, s.k.Keep(at(.2), 799), "the last one reaches the threshold")
	assert.False(t, s.k.Keep(at(.2), 800))

	s.k.Repay(at(.205), 10, 4)
	status := s.k.Status(at(.205))
	assert.Equal(t, 6, status.InFlight)
	assert.Equal(t, 890, status.Windows[0].Credit)
	assert.EqualValues(t, 51, s.k.windows[0].history.after(0), "all are in the log")

	// An answer that is passed on tells what is left; how long it took, nobody knows.
	slowest := s.k.latency.wasLongest
	s.k.Repay(at(.208), 1, 0)
	r := minute(1000, 500, 60)
	s.k.Receive(at(.208), loan.Ticket, &r)
	assert.Equal(t, slowest, s.k.latency.wasLongest)
	assert.LessOrEqual(t, s.k.Status(at(.208)).Windows[0].Credit, 500)
}

// After an answer that was not as expected, some have to be before there is a loan again.
func TestTrustComesBackSlowly(t *testing.T) {
	for name, answer := range map[string]func(s *script, loan Loan){
		"with a loan": func(s *script, loan Loan) {
			r := minute(1000, 898, 60)
			s.k.Repay(at(.2), 1, 0)
			s.k.Receive(at(.2), loan.Ticket, &r)
		},
		"lost": func(s *script, _ Loan) { s.k.Lose(at(.2), s.k.Send(at(.2), 1)) },
	} {
		s := hurried(t, DefaultPolicy(), 900)
		loan := s.k.Lend(at(.2))
		require.Positive(t, loan.N)
		answer(s, loan)
		for n := range lendAfter {
			now := .3 + float64(n)/1e6
			s.hears(now, s.goes(now), minute(1000, 897-n, 60))
			for range 80 {
				s.k.paced(0)
			}
			require.False(t, s.k.Lends(), name)
		}
		s.hears(.4, s.goes(.4), minute(1000, 860, 60))
		for range 80 {
			s.k.paced(0)
		}
		assert.True(t, s.k.Lends(), name)
	}
	s := hurried(t, DefaultPolicy(), 900)
	s.hears(.2, s.goes(.2), refusal(time.Second))
	assert.Equal(t, s.k.answered, s.k.unexpected, "refused")
}

func TestWhoIsInNoHurryDoesNotBorrow(t *testing.T) {
	s := hurried(t, DefaultPolicy(), 900)
	for range 40 {
		s.k.paced(2 * millisecond)
	}
	assert.False(t, s.k.Lends())
	assert.Zero(t, s.k.Lend(at(.2)))
}

// What is lent is a small part of what nothing would stop.
func TestLittleIsLentOfLittle(t *testing.T) {
	for left, want := range map[int]int{900: 64, 356: 32, 140: 5, 131: 0, 100: 0, 20: 0} {
		assert.Equal(t, want, hurried(t, DefaultPolicy(), left).k.Lend(at(.2)).N, "of %d", left)
	}
	even := DefaultPolicy()
	even.Threshold = Everything
	assert.Zero(t, hurried(t, even, 900).k.Lend(at(.2)), "each is spread")
	kept := DefaultPolicy()
	kept.Reserve = Share(.75)
	assert.Equal(t, 6, hurried(t, kept, 900).k.Lend(at(.2)).N, "50 of the 150 left above the reserve are beyond the threshold")
}

// Where something is not as it should be, each request is asked about.
func TestNothingIsLentInTrouble(t *testing.T) {
	for name, trouble := range map[string]func(s *script){
		"refused": func(s *script) { s.hears(.2, s.goes(.2), refusal(time.Second)) },
		"paused": func(s *script) {
			r := minute(1000, 859, 60)
			r.Paused, r.Wait = true, header.Wait{Reset: header.Reset{In: time.Second}, Delay: time.Second, Explicit: true}
			s.hears(.2, s.goes(.2), r)
		},
		"others": func(s *script) { s.hears(.2, s.goes(.2), minute(1000, 600, 60)) },
		"taught": func(s *script) { s.k.teach().shut = true },
		"probed": func(s *script) { s.k.windows[0].probe.number = 7 },
		"unsure": func(s *script) { s.k.windows[0].credited = false },
		"another limit": func(s *script) {
			r := minute(1000, 859, 60)
			r.Windows = append(r.Windows, header.Window{Name: "day", Limit: known(100), Remaining: known(7), Length: 24 * time.Hour})
			s.hears(.2, s.goes(.2), r)
		},
		"so many at a time": func(s *script) {
			r := minute(1000, 859, 60)
			r.Windows = append(r.Windows, header.Window{Name: "at once", Unit: "concurrent-requests", Limit: known(10)})
			s.hears(.2, s.goes(.2), r)
		},
	} {
		s := hurried(t, DefaultPolicy(), 860)
		require.True(t, s.k.Keep(at(.19), 20))
		trouble(s)
		for range 80 {
			s.k.paced(millisecond / 10)
		}
		assert.Zero(t, s.k.Lend(at(.21)), name)
		if name != "probed" { // which is no news of what may go on credit
			assert.False(t, s.k.Keep(at(.21), 20), name)
		}
	}
}

// A loan ends before the window does. Whoever is answered after that may have been
// counted in the next one.
func TestALoanEndsWithItsWindow(t *testing.T) {
	s := hurried(t, DefaultPolicy(), 900)
	opens := s.k.time(s.k.windows[0].reset.earliest)
	loan := s.k.Lend(opens.Add(-4 * time.Millisecond))
	require.Positive(t, loan.N)
	assert.Equal(t, opens.Add(-time.Millisecond), loan.Until)
	assert.Zero(t, s.k.Lend(opens.Add(-time.Millisecond)))

	before := s.k.untold
	s.k.Repay(opens.Add(-time.Millisecond), 2, 1)
	assert.Equal(t, before, s.k.untold)
	s.k.Repay(opens.Add(time.Millisecond), 0, 1)
	assert.Equal(t, s.k.instant(opens.Add(time.Millisecond)), s.k.untold)
}

// What was lent may have gone at any time since, and stays in the log as if it went last.
func TestTheLogHoldsWhatWasLentForLong(t *testing.T) {
	s := hurried(t, DefaultPolicy(), 900)
	s.k.Lend(at(.2))
	s.k.Repay(at(.21), 5, 0)
	h := &s.k.windows[0].history
	last := h.at(h.size - 1)
	assert.Equal(t, s.k.instant(at(.2)), last.from)
	assert.Equal(t, s.k.instant(at(.21)), last.last)
	assert.EqualValues(t, 5, h.after(s.k.instant(at(.205))))
}

// An API that says nothing and never refused anything lends too. What it was sent is
// known when it does refuse.
func TestASilentServerLendsUntilItRefuses(t *testing.T) {
	s := newScript(t, DefaultPolicy())
	for n := range 60 {
		now := float64(n) / 1e5
		s.hears(now+1e-6, s.goes(now), header.Reading{})
	}
	for range 40 {
		s.k.paced(0)
	}
	loan := s.k.Lend(at(.1))
	require.Equal(t, lendMost, loan.N)
	require.True(t, s.k.Keep(at(.1), loan.N))
	s.k.Repay(at(.109), 40, 39)
	assert.EqualValues(t, 100, s.k.taught.log.after(-1))
	assert.Equal(t, s.k.instant(at(.1)), s.k.taught.log.firstAfter(s.k.instant(at(.1))))

	r := refusal(time.Minute)
	s.k.Receive(at(.11), loan.Ticket, &r)
	assert.False(t, s.k.Keep(at(.11), 1))
	assert.EqualValues(t, 99, s.k.taught.log.after(-1), "what was refused does not count")
	again := s.waits(1, Refusal).Sub(epoch).Seconds()
	s.hears(again+.001, s.goes(again), header.Reading{})
	lesson := s.k.Lesson(at(again + .001))
	assert.Equal(t, 99, lesson.Limit)
	assert.Equal(t, time.Minute, lesson.Length)
	for range 40 {
		s.k.paced(0)
	}
	assert.Zero(t, s.k.Lend(at(again+.002)))
}
