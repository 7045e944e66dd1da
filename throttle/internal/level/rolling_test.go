package level_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

// rolling is what a window of a minute tells that says of no reset.
func rolling(remaining float64) level.Window {
	return level.Window{Limit: 1000, Remaining: remaining, Left: -1, Length: time.Minute}
}

// Responses that take a third of the window leave it at the rate at which they came.
func TestLongResponsesLeaveARollingWindow(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 50}
	answer(l, 0, d, rolling(990), level.Usage{Total: 10}, true)
	holds := map[int]*level.Hold{}
	for i := 1; i <= 80; i++ {
		now := time.Duration(i) * time.Second
		if i <= 60 {
			holds[i] = l.Take(at(now), d)
		}
		if h := holds[i-20]; h != nil {
			if i == 70 {
				l.Observe(at(now), h, rolling(400))
			}
			l.Settle(at(now), h, level.Usage{Total: 10}, true)
		}
	}
	assert.InDelta(t, 400, l.Level(at(71*time.Second)), 1)
	assert.InDelta(t, 500, l.Level(at(91*time.Second)), 11, "of what was spent, ten left whenever they were charged for")
}

// A server that charges much more than responses tell gives back no more than it may have taken
// of the requests that left.
func TestNoMoreComesBackThanWasTaken(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 100}
	answer(l, 0, d, rolling(901), level.Usage{Total: 90}, true)
	for i := range 7 { // 100 each
		answer(l, time.Duration(10+i)*time.Second, d, rolling(801-100*float64(i)), level.Usage{Total: 5}, true)
	}
	assert.InDelta(t, 201, l.Level(at(59*time.Second)), 1)
	assert.InDelta(t, 301, l.Level(at(65*time.Second)), 1, "what took 90 took no more than 100")
}

// Where much may have come back that no response tells of, one request asks, though a little
// comes back soon.
func TestMuchThatMayHaveComeBackIsAskedFor(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 150}
	told := func(remaining float64) level.Window {
		w := rolling(remaining)
		w.Streamed = true
		return w
	}
	answer(l, 0, d, rolling(800), level.Usage{Total: 200}, true)
	var holds []*level.Hold
	for i := range 5 {
		h := l.Take(at(50*time.Second), d)
		l.Observe(at(51*time.Second), h, told(650-150*float64(i)))
		holds = append(holds, h)
	}
	require.False(t, l.Ask(at(52*time.Second), d).Go)
	for _, h := range holds {
		l.Settle(at(55*time.Second), h, level.Usage{Total: 10}, true)
	}
	require.True(t, l.Ask(at(59*time.Second), d).Go, "700 may have come back, and 200 do in two seconds")
	l.Take(at(59*time.Second), d)
	assert.False(t, l.Ask(at(59*time.Second), d).Go, "one request finds out")
}

// Numbers that contradict each other begin anew: they prove no bucket that fills at any rate
// between them.
func TestContradictingResetsProveNoRefill(t *testing.T) {
	t.Parallel()
	l := level.New()
	for i, w := range []struct {
		missing float64
		left    time.Duration
	}{
		{950, 24 * time.Second}, {800, 32 * time.Second},
		{960, 31700 * time.Millisecond}, {960, 31700 * time.Millisecond}, {960, 31700 * time.Millisecond},
	} {
		told := level.Window{Limit: 1000, Remaining: 1000 - w.missing, Left: w.left, Length: time.Minute}
		answer(l, time.Duration(i)*time.Second, known(5), told, level.Usage{}, false)
	}
	assert.False(t, l.Refills())
}

// Where less is missing than responses under way may have, the server does not ask for it; a refusal for want of
// what the prompt costs proves nothing else, and one that leaves enough for the prompt does.
func TestWhatIsMissingTellsThatLessIsAskedFor(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 100}
	answer(l, 0, d, rolling(990), level.Usage{Total: 10, Prompt: 10}, true)
	var holds []*level.Hold
	for range 9 {
		holds = append(holds, l.Take(at(2*time.Second), d))
	}
	require.InDelta(t, 110, l.Admission(d), 1)
	for i, h := range holds[:8] {
		now := at(4*time.Second + time.Duration(i)*100*time.Millisecond)
		w := rolling(900)
		w.Streamed = true
		l.Observe(now, h, w)
	}
	require.InDelta(t, 10, l.Admission(d), 1, "900 are not missing")
	rest := rolling(5)
	l.Refuse(at(6*time.Second), holds[8], &rest, true, time.Time{})
	assert.InDelta(t, 10, l.Admission(d), 1, "5 are less than the prompt costs")
	rest = rolling(90)
	l.Refuse(at(8*time.Second), l.Take(at(7*time.Second), d), &rest, true, time.Time{})
	assert.InDelta(t, 110, l.Admission(d), 1)
}

// Where only responses under way will bring something back, nobody asks all the time.
func TestNobodyAsksAllTheTime(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 300}
	w := rolling(100)
	w.Streamed = true
	h := l.Take(at(0), d)
	l.Observe(at(time.Second), h, w)
	for now := 2 * time.Second; now < time.Minute; now += 10 * time.Second {
		ask := l.Ask(at(now), d)
		require.False(t, ask.Go)
		require.GreaterOrEqual(t, ask.At.Sub(at(now)), time.Second)
	}
}

// A window in debt tells 0 however deep it is: that 0 is more than what was spent leaves does not prove that the
// window opened.
func TestADebtDoesNotProveThatAWindowOpened(t *testing.T) {
	t.Parallel()
	l := level.New()
	w := rolling(900)
	w.Left = time.Minute
	answer(l, 0, known(100), w, level.Usage{}, false)
	var holds []*level.Hold
	for range 20 {
		holds = append(holds, l.Take(at(2*time.Second), known(100)))
	}
	for i, h := range holds {
		now := 4*time.Second + time.Duration(i)*100*time.Millisecond
		w.Remaining, w.Left = max(0, 900-100*float64(i+1)), 61*time.Second-now
		l.Observe(at(now), h, w)
		l.Settle(at(now), h, level.Usage{}, false)
	}
	assert.False(t, l.Ask(at(63*time.Second), known(100)).Go, "100 left, and 2,000 are still there")
}

// After a refusal one request goes alone. If it is not refused by the time that a refusal takes, others go: its
// response may take long.
func TestOneThatWasNotRefusedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 100}
	answer(l, 0, d, rolling(900), level.Usage{Total: 100}, true)
	rest := rolling(850)
	l.Refuse(at(3*time.Second), l.Take(at(2*time.Second), d), &rest, false, time.Time{})
	require.True(t, l.Ask(at(5*time.Second), d).Go)
	l.Take(at(5*time.Second), d)
	ask := l.Ask(at(5500*time.Millisecond), d)
	require.False(t, ask.Go)
	require.LessOrEqual(t, ask.At.Sub(at(5*time.Second)), 2*time.Second)
	require.True(t, l.Ask(at(7500*time.Millisecond), d).Go)
	l.Take(at(7500*time.Millisecond), d)
	assert.True(t, l.Ask(at(7600*time.Millisecond), d).Go, "it was served, and others need not go alone")
}
