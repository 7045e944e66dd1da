package level_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

// A streamer is a bucket of 6,000 that fills in ten minutes, whose responses begin at once and last a second;
// requests ask for 300 and use 30.
type streamer struct {
	l       *level.Limiter
	now     time.Duration
	missing float64
}

var streamedDemand = level.Demand{Most: 300}

func (s *streamer) wait(d time.Duration) {
	s.now += d
	s.missing = max(0, s.missing-10*d.Seconds())
}

// ask sends a request that is charged so much when it is sent, and tells what remains.
func (s *streamer) ask(charged float64) *level.Hold {
	h := s.l.Take(at(s.now), streamedDemand)
	s.missing += charged
	s.wait(100 * time.Millisecond)
	s.l.Observe(at(s.now), h, level.Window{
		Limit: 6000, Remaining: 6000 - s.missing, Left: time.Duration(s.missing * 1e8), Streamed: true,
	})
	return h
}

func (s *streamer) end(h *level.Hold, charged float64) {
	s.missing += charged
	s.l.Settle(at(s.now), h, level.Usage{Total: 30}, true)
}

// stream runs requests one after the other, every third with another beside it, that are charged so
// much when they are sent and when they end.
func stream(sent, ended float64) *streamer {
	s := &streamer{l: level.New(), missing: 1500}
	for i := range 40 {
		h := s.ask(sent)
		if i%3 == 0 {
			other := s.ask(sent)
			s.wait(900 * time.Millisecond)
			s.end(other, ended)
		}
		s.wait(time.Second)
		s.end(h, ended)
		s.wait(time.Duration((sent + ended) * 0.12 * float64(time.Second)))
	}
	return s
}

// empty runs requests until so much is missing, the last of them beside each other, ends them all, and
// returns whether the next may go a moment later.
func (s *streamer) empty(t *testing.T, missing, sent, ended float64) level.Decision {
	t.Helper()
	require.True(t, s.l.Refills())
	for s.missing+8*sent < missing {
		s.end(s.ask(sent), ended)
	}
	var holds []*level.Hold
	for range 8 {
		holds = append(holds, s.ask(sent))
		s.wait(10 * time.Millisecond)
	}
	require.False(t, s.l.Ask(at(s.now), streamedDemand).Go)
	for _, h := range holds {
		s.end(h, ended)
	}
	return s.l.Ask(at(s.now), streamedDemand)
}

func TestWhatAServerGivesBackIsAskedFor(t *testing.T) {
	t.Parallel()
	assert.True(t, stream(300, -270).empty(t, 5900, 300, -270).Go, "2,160 came back")
}

// A server that keeps what it charged, or charges at the end, is not asked what came back.
func TestWhatNeverComesBackIsNotAskedFor(t *testing.T) {
	t.Parallel()
	assert.False(t, stream(300, 0).empty(t, 5900, 300, 0).Go, "it keeps all")
	assert.False(t, stream(0, 30).empty(t, 5900, 0, 30).Go, "it charges at the end")
}

// Once the answer was yes, it is asked for sooner.
func TestWhatWasGivenBackOnceIsAskedForSooner(t *testing.T) {
	t.Parallel()
	s := stream(300, -270)
	require.False(t, s.empty(t, 5725, 300, -270).Go, "there is enough in a few seconds")
	require.True(t, s.empty(t, 5900, 300, -270).Go)
	s.end(s.ask(300), -270)
	s.wait(time.Minute)
	assert.True(t, s.empty(t, 5725, 300, -270).Go)
}

// What a request may have been given back may have been taken off what another was charged: of that
// one, as much less comes back.
func TestRefundsMayHaveBeenOfAnother(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 100}
	answer(l, 0, d, rolling(980), level.Usage{Total: 20}, true)
	answer(l, 5*time.Second, d, rolling(960), level.Usage{Total: 20}, true)
	answer(l, 40*time.Second, d, rolling(940), level.Usage{Total: 20}, true)
	assert.InDelta(t, 940, l.Level(at(63*time.Second)), 1, "20 left, or nothing")
	assert.InDelta(t, 960, l.Level(at(68*time.Second)), 1)
}

// Of responses that take long, few end before a request arrives.
func TestFewResponsesEndAtOnce(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 3, Most: 10}
	for i := range 10 {
		from := time.Duration(i) * 30 * time.Second
		h := l.Take(at(from), d)
		l.Observe(at(from+20*time.Second), h, minute(900, 35*time.Second))
		l.Settle(at(from+20*time.Second), h, level.Usage{Total: 30, Prompt: 1}, true)
	}
	now, sent := 300*time.Second, 0
	for ; l.Ask(at(now), d).Go && sent < 100; sent++ {
		l.Take(at(now), d)
	}
	assert.Greater(t, sent, 60, "each asks for 11 of 900, and few of 30 tokens end in half a second")
}

// Of responses that tell no usage, a few falls bound what they cost.
func TestFewFallsBoundWhatEnds(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 3, Most: 150}
	for i := range 12 {
		answer(l, time.Duration(2*i)*time.Second, d, minute(900-10*float64(i), 59*time.Second-time.Duration(2*i)*time.Second), level.Usage{}, false)
	}
	for range 6 {
		l.Take(at(26*time.Second), d)
	}
	answer(l, 27*time.Second, d, minute(770, 31*time.Second), level.Usage{}, false)
	assert.True(t, l.Ask(at(28*time.Second), d).Go, "six that may end have cost 10 or so each, and not 150")
}

// Where a server is known to give back what it held in vain, what a response cost is not taken off once more a
// while after it ended.
func TestWhatWasHeldIsNotTakenTwice(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 300}
	now := time.Duration(0)
	three := func(cost float64) { // beside each other, of a window that is empty before
		now += 70 * time.Second
		var holds []*level.Hold
		for i := range 3 {
			h := l.Take(at(now), d)
			w := rolling(700 - 300*float64(i))
			w.Streamed = true
			l.Observe(at(now+100*time.Millisecond), h, w)
			holds = append(holds, h)
			now += time.Second
		}
		now += 5 * time.Second
		for _, h := range holds {
			l.Settle(at(now), h, level.Usage{Total: cost}, true)
		}
	}
	for range 4 {
		three(20)
		require.True(t, l.Ask(at(now), d).Go, "840 came back")
		h := l.Take(at(now), d)
		w := rolling(640)
		w.Streamed = true
		l.Observe(at(now+100*time.Millisecond), h, w)
		now += time.Second
		l.Settle(at(now), h, level.Usage{Total: 20}, true)
	}
	three(150)
	assert.True(t, l.Ask(at(now), d).Go, "450 came back")
	assert.True(t, l.Ask(at(now+3*time.Second), d).Go, "and did not go again")
}
