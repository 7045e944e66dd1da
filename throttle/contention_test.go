package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// What falls faster than we send is spent by others, and then we spend our part.
func TestOthersAreNoticed(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(100, 99, 60))
	for n := 1; n <= 20; n++ {
		now := float64(n)
		s.hears(now+.1, s.goes(now), minute(100, 99-4*n, 60)) // of four, one is ours
	}
	st := s.k.Status(at(21)).Windows[0]
	assert.True(t, st.Others)
	assert.InDelta(t, .35, st.Share, .05)
	assert.InDelta(t, .35*19, float64(st.Credit), 1.5)
	sent := 0
	for ; s.k.Ask(at(21), 1).Limit == ""; sent++ {
		s.goes(21)
	}
	assert.Equal(t, st.Credit, sent)
}

// Others who begin to spend a window that rolls, of which most is left, stop no one until a whole window was followed.
func TestOthersFarFromALimitThatRollsStopNoOne(t *testing.T) {
	s := newScript(t, plain())
	for n := range 10 { // we are alone, and the reset moves with each request
		now := float64(3 * n)
		s.hears(now+.1, s.goes(now), minute(1000, 999-n, now+60))
	}
	s.hears(33.1, s.goes(33), minute(1000, 989, 93))
	s.hears(33.4, s.goes(33.3), minute(1000, 980, 93)) // eight are of others
	st := s.k.Status(at(34)).Windows[0]
	assert.Equal(t, Rolling, st.Kind)
	assert.True(t, st.Others)
	sent := 0
	for ; sent < 100 && s.k.Ask(at(34), 1).Limit == ""; sent++ {
		s.goes(34)
	}
	assert.Equal(t, 100, sent)
}

func TestNoOthersAreSeenWhereThereAreNone(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(100, 99, 60))
	flying := []int{}
	for range 50 {
		flying = append(flying, s.goes(1))
	}
	// They overtake each other: the last one counted is heard of first.
	for i, f := range flying {
		s.hears(1.1, f, minute(100, 49+i, 60))
		assert.False(t, s.k.Status(at(1.1)).Windows[0].Others)
	}
}

// shared returns a script of a client that saw others take three of four, and knows
// of nothing left but so many.
func shared(t *testing.T, left int) *script {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(100, 99, 60))
	for n := 1; n <= 20; n++ {
		s.hears(float64(n)+.1, s.goes(float64(n)), minute(100, 99-4*n, 60))
	}
	s.hears(21.1, s.goes(21), minute(100, left, 60))
	require.True(t, s.k.Status(at(22)).Windows[0].Others)
	return s
}

// Those who wait for the same reset do not all try at the same moment.
func TestProbesAreSpread(t *testing.T) {
	alone := newScript(t, plain())
	alone.hears(.1, alone.goes(0), minute(100, 0, 60))
	reset := alone.waits(22, "minute")
	seen := map[time.Time]bool{}
	for n := range uint64(8) {
		s := newScript(t, plain())
		s.k.random.Seed(n, n)
		s.hears(.1, s.goes(0), minute(100, 99, 60))
		s.hears(1.1, s.goes(1), minute(100, 50, 60))
		s.hears(2.1, s.goes(2), minute(100, 0, 60))
		at := s.waits(22, "minute")
		assert.WithinDuration(t, reset, at, 2*time.Second)
		seen[at] = true
	}
	assert.Greater(t, len(seen), 4)
}

// What was heard long ago is not spent at once: others may have spent it.
func TestAnOldAnswerAllowsOneRequest(t *testing.T) {
	s := shared(t, 40)
	s.goes(22)
	s.goes(22)
	s = shared(t, 40)
	s.hears(30.1, s.goes(30), header.Reading{}) // which says nothing
	i := s.goes(35)
	until := s.waits(35, "minute")
	assert.LessOrEqual(t, until.Sub(at(35)), 2*time.Second, "it waits for an answer, not for the reset")
	s.hears(35.1, i, minute(100, 39, 60))
	s.goes(35.2)
	s.goes(35.2)
}

// When the others stop, what they leave is taken up within a window.
func TestWhatOthersLeaveIsTakenUp(t *testing.T) {
	for name, model := range map[string]func() ratemodel.Model{
		"fixed": minutes(400), "bucket": bucketOf(400, ratemodel.ResetFull), "rolling": rolling(400),
	} {
		s := simulation{model: model, announce: epochSeconds, callers: 10, processes: 4, leave: 4*time.Minute - into, start: into,
			length: 6*time.Minute - into, policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
		s.announce.epoch = name == "fixed"
		until := s.run()
		s.length += 3 * time.Minute
		more := s.run()
		got := more.each[0] - until.each[0]
		t.Logf("%s: %d of 1200 two minutes after the others left", name, got)
		assert.GreaterOrEqual(t, got, 1100, name)
	}
}

// Refills are no strangers: a server that refills tells more, not less.
func TestRefillsAreNoOthers(t *testing.T) {
	for name, rule := range map[string]ratemodel.ResetRule{"next": ratemodel.ResetNext, "full": ratemodel.ResetFull, "none": ratemodel.ResetNone} {
		s := simulation{model: bucketOf(120, rule), announce: announcement{step: time.Second, rounding: 1, lengths: true, date: true},
			callers: 20, length: 5 * time.Minute, policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
		s.watch = func(now time.Duration, k *Limiter) {
			if len(k.windows) > 0 && k.windows[0].contention.Others(k.lastSent) {
				t.Fatalf("%s: others at %v", name, now)
			}
		}
		o := s.run()
		assert.Zero(t, o.refused, "%s: %v", name, o)
	}
}

func TestTheFullestNodeDecides(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(200, 180, 60))
	s.hears(1.1, s.goes(1), minute(200, 20, 60))
	s.hears(2.1, s.goes(2), minute(200, 178, 60)) // it cannot have risen
	sent := 0
	for ; s.k.Ask(at(3), 1).Limit == ""; sent++ {
		s.goes(3)
	}
	assert.LessOrEqual(t, sent, 20)
	assert.GreaterOrEqual(t, sent, 10)
}
