package level_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

// prompts is a fixed window of 1,000 a minute whose streams tell of the first token: a request asks for no
// more than its prompt, of 50, and its response costs 90 in all. The last of ten told that 400 remain, which
// counts their prompts, and all are over.
func prompts() (l *level.Limiter, d level.Demand) {
	l, d = level.New(), level.Demand{Prompt: 150}
	answer(l, 0, d, minute(950, 59*time.Second), level.Usage{Total: 90, Prompt: 50}, true)
	var holds []*level.Hold
	for range 10 {
		holds = append(holds, l.Take(at(2*time.Second), d))
	}
	for _, h := range holds {
		l.Observe(at(3*time.Second), h, streamed(400, 57*time.Second))
	}
	for _, h := range holds {
		l.Settle(at(10*time.Second), h, level.Usage{Total: 90, Prompt: 50}, true)
	}
	return l, d
}

// What is over was taken off the newest word, which may have counted it: one request asks.
func TestAnOldWordIsAskedAnew(t *testing.T) {
	t.Parallel()
	l, d := prompts()
	now := 15 * time.Second
	require.True(t, l.Ask(at(now), d).Go, "400 may be left, and the window opens in 45 seconds")
	h := l.Take(at(now), d)
	assert.Negative(t, l.Level(at(now)))
	assert.False(t, l.Ask(at(now), d).Go, "one request finds out")
	l.Observe(at(now+time.Second), h, streamed(350, 44*time.Second))
	assert.True(t, l.Ask(at(now+time.Second), d).Go, "there was more than was surely left")
}

// If the answer is no, the next one asks twice as late.
func TestAnOldWordIsNotAskedAnewAtOnce(t *testing.T) {
	t.Parallel()
	l, d := prompts()
	require.True(t, l.Ask(at(15*time.Second), d).Go)
	h := l.Take(at(15*time.Second), d)
	l.Refuse(at(16*time.Second), h, nil, true, time.Time{})
	assert.False(t, l.Ask(at(20*time.Second), d).Go)
	require.True(t, l.Ask(at(22*time.Second), d).Go)
	h = l.Take(at(22*time.Second), d)
	l.Refuse(at(23*time.Second), h, nil, true, time.Time{})
	assert.False(t, l.Ask(at(32*time.Second), d).Go)
	assert.True(t, l.Ask(at(34*time.Second), d).Go)
}

// Where the window opens soon, it is worth no refusal.
func TestAnOldWordIsNotAskedAnewBeforeAWindowOpens(t *testing.T) {
	t.Parallel()
	l, d := prompts()
	assert.True(t, l.Ask(at(50*time.Second), d).Go)
	assert.False(t, l.Ask(at(56*time.Second), d).Go)
}

// A request whose response was lost keeps no other from asking.
func TestALostResponseLetsAnotherAskAnew(t *testing.T) {
	t.Parallel()
	l, d := prompts()
	require.True(t, l.Ask(at(15*time.Second), d).Go)
	h := l.Take(at(15*time.Second), d)
	l.Settle(at(20*time.Second), h, level.Usage{}, false)
	assert.True(t, l.Ask(at(25*time.Second), d).Go)
}

// Known costs are never refused: none of them asks.
func TestAKnownCostDoesNotAskAnew(t *testing.T) {
	t.Parallel()
	l, _ := prompts()
	assert.False(t, l.Ask(at(15*time.Second), known(90)).Go)
}

// Where nothing bounds a response, a refusal teaches what the server takes beside the prompt, which is as
// much for a long prompt as for a short one.
func TestWhatAServerTakesBesideThePromptIsAdded(t *testing.T) {
	t.Parallel()
	l := level.New()
	short, long := level.Demand{Prompt: 30}, level.Demand{Prompt: 600} // estimated as 10 and 200
	answer(l, 0, short, minute(900, 50*time.Second), level.Usage{Total: 10, Prompt: 10}, true)
	h := l.Take(at(2*time.Second), short)
	rest := minute(300, 48*time.Second)
	l.Refuse(at(3*time.Second), h, &rest, true, time.Time{})
	assert.InDelta(t, 306, l.Admission(short), 10, "300 did not suffice")
	assert.InDelta(t, 500, l.Admission(long), 10, "not 30 times as much as for 30 bytes")
	bounded := level.Demand{Prompt: 30, Most: 100}
	assert.InDelta(t, 110, l.Admission(bounded), 1, "what is told is not guessed")
}

// What is over lapses though a refusal closed the window.
func TestWhatIsOverLapsesWhileClosed(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 200}
	answer(l, 0, d, minute(990, 50*time.Second), level.Usage{Total: 10}, true)
	over, refused := l.Take(at(2*time.Second), d), l.Take(at(2*time.Second), d)
	l.Observe(at(3*time.Second), over, streamed(790, 48*time.Second))
	rest := minute(790, 48*time.Second)
	l.Refuse(at(3*time.Second), refused, &rest, true, at(40*time.Second))
	l.Settle(at(5*time.Second), over, level.Usage{Total: 10}, true)
	require.False(t, l.Ask(at(20*time.Second), known(900)).Go)
	assert.InDelta(t, 780, l.Level(at(20*time.Second)), 1)
}

// Where numbers are rounded, as much more may remain.
func TestARoundedWordIsAskedAnew(t *testing.T) {
	t.Parallel()
	for remaining, asks := range map[float64]bool{300: true, 200: false} {
		l, d := level.New(), level.Demand{Prompt: 33, Most: 240} // it asks for 251
		for i := range 30 {
			now := 45*time.Second + time.Duration(i)*time.Second
			told := max(900-100*float64(i%15/2), remaining)
			answer(l, now, d, minute(told, time.Minute-(now+time.Second)%time.Minute), level.Usage{Total: 47, Prompt: 11}, true)
		}
		now := 76 * time.Second
		require.InDelta(t, remaining-50, l.Level(at(now)), 1, "as little may be left")
		assert.Equal(t, asks, l.Ask(at(now), d).Go, "%v", remaining)
	}
}
