package limit

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImpossibleQuotasAreErrors(t *testing.T) {
	for _, q := range []Quota{
		{}, PerSecond(0), PerMinute(-1), Per(1, 0), Per(1, -time.Second), Every(0), Per(1, math.MaxInt64),
		PerHour(1 << 40), PerSecond(1).Slack(-1), PerSecond(1).Slack(25 * time.Hour),
		Per(1, 7*time.Hour).FixedWindow(nil), Per(1, 48*time.Hour).FixedWindow(nil), PerSecond(1).Slack(time.Second).FixedWindow(nil),
		PerSecond(1).TokenBucket(0), PerSecond(1).TokenBucket(-1), PerSecond(1).TokenBucket(1 << 40),
	} {
		_, err := q.Limiter()
		assert.ErrorContains(t, err, "limit: ", "%+v", q)
	}
}

func TestQuotasHaveNames(t *testing.T) {
	assert.Equal(t, "600 per minute", PerMinute(600).String())
	assert.Equal(t, "1 per 2s", Every(2*time.Second).String())
	assert.Equal(t, "15000 per hour", PerHour(15000).String())
	assert.Equal(t, "5 per day", PerDay(5).String())
	assert.Equal(t, "burst", PerSecond(3).Named("burst").String())
}

// step is what one row of a table does: at a time, ask for an amount.
type step struct {
	at    time.Duration
	cost  int
	again time.Duration // when to ask again; equal to at: may go, and goes
}

// runSteps asks a new limit of q what each row says, and takes where it agrees. Nothing is answered.
func runSteps(t *testing.T, q Quota, start time.Time, steps []step) {
	t.Helper()
	l, err := q.Limiter()
	require.NoError(t, err)
	for i, s := range steps {
		now := start.Add(s.at)
		r := Demand{Requests: s.cost}
		a := l.Ask(now, r)
		if s.again == s.at {
			assert.True(t, a.Admits(now), "step %d: %+v", i, a)
			l.Take(now, r)
			continue
		}
		assert.Equal(t, s.again, a.At.Sub(start), "step %d: %+v", i, a)
		assert.Equal(t, q.String(), a.Limit)
		assert.Equal(t, a, l.Ask(now, r), "asking must change nothing")
	}
}

func TestRollingSteps(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	runSteps(t, Per(3, 10*sec).Slack(sec), start, []step{
		{0, 1, 0}, {0, 1, 0}, {4 * sec, 1, 4 * sec}, {4 * sec, 1, 11 * sec}, {4 * sec, 2, 11 * sec}, {4 * sec, 3, 15 * sec},
		{10 * sec, 1, 11 * sec}, {11 * sec, 2, 11 * sec}, {11 * sec, 1, 15 * sec}, {15 * sec, 1, 15 * sec}, {15 * sec, 0, 22 * sec},
	})
}

func TestAlignedSteps(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 50, 0, time.UTC)
	runSteps(t, PerMinute(2).FixedWindow(nil).Slack(2*sec), start, []step{
		{0, 1, 0}, {0, 1, 0}, {0, 1, 12 * sec},
		{11 * sec, 1, 12 * sec}, {12 * sec, 2, 12 * sec}, {12 * sec, 1, 72 * sec},
		// What goes in the last two seconds may arrive in the next minute.
		{129 * sec, 1, 129 * sec}, {132 * sec, 1, 132 * sec}, {133 * sec, 1, 192 * sec},
	})
}

func TestSmoothSteps(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	runSteps(t, PerSecond(1).TokenBucket(3).Slack(0), start, []step{
		{0, 2, 0}, {0, 1, 0}, {0, 1, sec}, {sec / 2, 1, sec}, {sec, 1, sec}, {sec, 2, 3 * sec},
		{time.Hour, 3, time.Hour}, {time.Hour, 1, time.Hour + sec},
	})
	runSteps(t, PerSecond(1).TokenBucket(1).Slack(sec/4), start, []step{
		{0, 1, 0}, {0, 1, sec * 5 / 4}, {sec * 5 / 4, 1, sec * 5 / 4}, {sec * 5 / 4, 1, sec * 10 / 4},
	})
	runSteps(t, PerSecond(1).TokenBucket(3).Slack(sec/2), start, []step{
		{0, 2, 0}, {0, 1, 0}, {0, 1, sec * 3 / 2}, {sec * 3 / 2, 1, sec * 3 / 2}, {sec * 3 / 2, 1, sec * 5 / 2},
	})
}

func TestACalendarDayHasItsOwnLength(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct {
		day   time.Time
		hours time.Duration
	}{
		{time.Date(2026, 3, 29, 0, 0, 0, 0, berlin), 23},
		{time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), 25},
		{time.Date(2026, 6, 1, 0, 0, 0, 0, berlin), 24},
	} {
		for _, into := range []time.Duration{0, time.Hour, 5 * time.Hour, c.hours*time.Hour - 1} {
			l, err := PerDay(1).FixedWindow(berlin).Slack(0).Limiter()
			require.NoError(t, err)
			now := c.day.Add(into)
			l.Take(now, Demand{})
			a := l.Ask(now, Demand{})
			assert.Equal(t, c.hours*time.Hour, a.At.Sub(c.day), "%v + %v", c.day, into)
		}
	}
}

// A limit must let nobody go too much in any window, whatever arrives when, and where; and where it
// names a time, the request must go then and not earlier.
func TestRollingIsExactAtTheServer(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n, per := 1+rng.IntN(20), time.Duration(1+rng.IntN(20))*sec
		slack := time.Duration(rng.IntN(500)) * time.Millisecond
		q := Per(n, per)
		if seed%2 == 0 {
			q = q.Slack(slack)
		}
		l, err := q.Limiter()
		require.NoError(t, err)
		start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		now := start
		type sent struct {
			taken, answered time.Time
			r               Demand
		}
		var open []sent
		var arrivals []time.Duration
		for range 300 {
			r := Demand{Requests: 1 + rng.IntN(min(n, 3))}
			for {
				// Answers come when their time has come, one after the other.
				slices.SortFunc(open, func(a, b sent) int { return a.answered.Compare(b.answered) })
				open = slices.DeleteFunc(open, func(s sent) bool {
					if s.answered.After(now) {
						return false
					}
					l.Done(s.answered, s.taken, s.r)
					return true
				})
				a := l.Ask(now, r)
				if a.Admits(now) {
					break
				}
				require.True(t, a.At.After(now))
				early := now.Add(a.At.Sub(now) / 2)
				if len(open) == 0 {
					require.False(t, func() bool { a := l.Ask(early, r); return a.Admits(early) }())
				}
				now = a.At
				for _, s := range open {
					if s.answered.Before(now) {
						now = s.answered
					}
				}
			}
			l.Take(now, r)
			there := 50*time.Millisecond + time.Duration(rng.Int64N(int64(slack)+1))
			back := 50 * time.Millisecond
			open = append(open, sent{now, now.Add(there + back), r})
			for range r.Count() {
				arrivals = append(arrivals, now.Add(there).Sub(start))
			}
			now = now.Add(time.Duration(rng.Int64N(int64(per) / int64(n))))
		}
		slices.Sort(arrivals)
		for i := n; i < len(arrivals); i++ {
			require.GreaterOrEqual(t, arrivals[i]-arrivals[i-n], per, "seed %d: %d in %v", seed, n, per)
		}
	}
}

func TestALargeQuotaNeedsLittleMemory(t *testing.T) {
	l := newRolling(&Quota{n: 250_000, per: 24 * time.Hour, fixed: true})
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	n := 0
	for range 600_000 {
		now = now.Add(300 * time.Millisecond)
		a := l.Ask(now, Demand{})
		if a.Admits(now) {
			l.Take(now, Demand{})
			n++
		}
	}
	assert.LessOrEqual(t, cap(l.open.slots)+cap(l.done.slots), 4*maxSlots)
	// 50 hours: the quota twice, and what came back of the third.
	assert.GreaterOrEqual(t, float64(n), .99*(500_000+2./24*250_000/288_000*250_000))
}

func TestASmoothQuotaWaitsForTheFirstAnswer(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l, err := PerSecond(10).TokenBucket(2).Limiter()
	require.NoError(t, err)
	r := Demand{}
	l.Take(start, r)
	l.Take(start, r)
	for _, after := range []time.Duration{100, 500, 900} {
		now := start.Add(after * time.Millisecond)
		a := l.Ask(now, r)
		assert.False(t, a.Admits(now), "the first may not have arrived yet")
	}
	// The first took 150 ms. Another may take none, and so be that much closer.
	l.Done(start.Add(150*time.Millisecond), start, r)
	a := l.Ask(start.Add(150*time.Millisecond), r)
	assert.Equal(t, 250*time.Millisecond, a.At.Sub(start))
}

func TestAllGivesTheLatestAnswer(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := Demand{}
	early, late := &spaced{next: now.Add(sec)}, &spaced{next: now.Add(time.Minute)}
	unknown, never := &spaced{unknown: true}, newRolling(&Quota{n: 1, per: sec, name: "never"})
	for _, l := range []Limiter{All(early, late, yes{}), All(late, early), All(yes{}, All(late), early)} {
		assert.Equal(t, late.next, l.Ask(now, r).At)
		assert.Equal(t, Decision{At: late.next, Limit: "spaced"}, l.Forecast(now, 1, r))
	}
	assert.True(t, All(late, unknown, early).Ask(now, r).Unknown)
	expensive := Demand{Requests: 2}
	assert.Equal(t, 1, All(late, never, unknown).Ask(now, expensive).Max)
	assert.Equal(t, Decision{}, All().Ask(now, r))
}

func TestReturnUndoesATake(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, q := range []Quota{PerMinute(3).Slack(0), PerMinute(3).FixedWindow(nil).Slack(0), PerMinute(3).SlidingCounter().Slack(0)} {
		l, err := q.Limiter()
		require.NoError(t, err)
		l = All(l, yes{})
		r := Demand{Requests: 2}
		l.Take(now, r)
		l.Take(now.Add(sec), Demand{})
		l.Cancel(now, r)
		later := now.Add(2 * sec)
		a := l.Ask(later, r)
		assert.True(t, a.Admits(later))
		l.Take(later, r)
		a = l.Ask(later, Demand{})
		assert.False(t, a.Admits(later))
		assert.False(t, l.Idle(later))
		assert.True(t, l.Idle(later.Add(2*time.Minute)))
		// What was returned must not be given back again when its time is over.
		later = later.Add(2 * time.Minute)
		l.Take(later, Demand{Requests: 3})
		a = l.Ask(later, Demand{})
		assert.False(t, a.Admits(later))
	}
}
