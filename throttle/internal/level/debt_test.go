package level_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

// indebted is a bucket of 6,000 that fills by 100 a second, and requests that are under way at the sixth second.
func indebted(t *testing.T, n int) (l *level.Limiter, d level.Demand, holds []*level.Hold) {
	t.Helper()
	l, d = level.New(), level.Demand{Prompt: 30, Most: 190}
	for i := range 10 {
		missing := 203 * float64(i+1)
		w := level.Window{Limit: 6000, Remaining: 6000 - missing, Left: time.Duration(missing * 1e7)}
		answer(l, time.Duration(i)*200*time.Millisecond, d, w, level.Usage{Total: 200, Prompt: 10}, true)
	}
	require.True(t, l.Refills())
	for range n {
		holds = append(holds, l.Take(at(6*time.Second), d))
	}
	return l, d, holds
}

// fills is a response of a bucket that is full after so long.
func fills(left time.Duration) level.Window { return level.Window{Limit: 6000, Left: left} }

// Of two debts that are told at once, the deeper one is the newer, though both say that nothing remains.
func TestADeeperDebtIsNotOvertaken(t *testing.T) {
	t.Parallel()
	l, _, holds := indebted(t, 3)
	l.Observe(at(10*time.Second), holds[0], fills(70*time.Second))
	l.Observe(at(10*time.Second+time.Millisecond), holds[1], fills(90*time.Second))
	assert.InDelta(t, -3000, l.Level(at(10*time.Second+time.Millisecond)), 10)
	l.Observe(at(10*time.Second+2*time.Millisecond), holds[2], fills(80*time.Second))
	assert.InDelta(t, -3000, l.Level(at(10*time.Second+2*time.Millisecond)), 10, "it was made before")
}

// A bucket in debt is full later than one that is empty: nobody asks before.
func TestADebtIsNotAskedAnew(t *testing.T) {
	t.Parallel()
	l, _, holds := indebted(t, 2)
	l.Observe(at(10*time.Second), holds[0], fills(170*time.Second))
	l.Settle(at(10*time.Second), holds[0], level.Usage{Total: 200, Prompt: 10}, true)
	l.Settle(at(10*time.Second), holds[1], level.Usage{Total: 6000, Prompt: 10}, true) // nothing told of it
	large := level.Demand{Prompt: 30, Most: 5800}
	for now := 15 * time.Second; now < 178*time.Second; now += time.Second {
		require.False(t, l.Ask(at(now), large).Go, "after %v", now)
	}
	assert.True(t, l.Ask(at(181*time.Second), large).Go)
}

// Responses that began together may end together, where all take as long.
func TestWhatBeganTogetherEndsTogether(t *testing.T) {
	t.Parallel()
	l, d := level.New(), level.Demand{Prompt: 30, Most: 1300}
	spent := 0.0
	tell := func(now time.Duration) level.Window {
		missing := max(0, spent-100*now.Seconds())
		return level.Window{Limit: 10_000, Remaining: 10_000 - missing, Left: time.Duration(missing * 1e7), Streamed: true}
	}
	send := func(now time.Duration) *level.Hold {
		h := l.Take(at(now), d)
		l.Observe(at(now+50*time.Millisecond), h, tell(now))
		return h
	}
	for i := range 10 {
		from := time.Duration(i) * 11 * time.Second
		h := send(from)
		spent += 1200 // it is charged when it is over
		l.Settle(at(from+10*time.Second), h, level.Usage{Total: 1200, Prompt: 10}, true)
	}
	require.True(t, l.Refills())
	now := 150 * time.Second
	spent = 100*now.Seconds() + 5000
	for range 6 {
		send(now)
	}
	asks := level.Demand{Prompt: 30, Most: 1300}
	require.True(t, l.Ask(at(now+5*time.Second), asks).Go, "5,500 are left, and hardly any ends now")
	assert.False(t, l.Ask(at(now+9980*time.Millisecond), asks).Go, "6,000 are left, and all six end")
}
