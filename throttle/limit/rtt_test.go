package limit

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASpreadOfDelaysIsLearned(t *testing.T) {
	var d rtt
	for range delaySamples - 1 {
		d.sample(100 * ms)
	}
	_, known := d.spread()
	assert.False(t, known)
	assert.Zero(t, d.least())
	d.sample(200 * ms)
	spread, known := d.spread()
	assert.True(t, known)
	assert.Equal(t, 125*ms, spread)
	for range 2 * delayEpoch {
		d.sample(150 * ms)
	}
	spread, _ = d.spread()
	assert.Zero(t, spread, "old samples are forgotten")
	d.sample(time.Hour)
	spread, _ = d.spread()
	assert.Equal(t, maxDelay, spread)
	d.sample(-time.Hour)
	assert.GreaterOrEqual(t, d.least(), time.Duration(0))
}

func TestTheLeastDelayIsLearned(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	sum := func() time.Duration { return between(rng, 40*ms, 80*ms) + between(rng, 40*ms, 80*ms) }
	var d rtt
	for range 10_000 {
		assert.True(t, d.sample(sum()), "no answer is faster than possible")
		assert.LessOrEqual(t, d.least(), 80*ms+3*ms)
	}
	assert.Greater(t, d.least(), 68*ms)

	// The way becomes shorter.
	assert.False(t, d.sample(50*ms))
	assert.Zero(t, d.least(), "nothing is known of the new way")
	for range 4 * delayEpoch {
		d.sample(sum() / 2)
	}
	assert.Greater(t, d.least(), 30*ms)
	assert.Less(t, d.least(), 42*ms)

	// It becomes longer: the margin follows when the old times are forgotten.
	for range 3 * delayEpoch {
		assert.True(t, d.sample(sum()))
	}
	assert.Greater(t, d.least(), 60*ms)
}

func TestAFallingDelayWidensTheMargin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for _, fall := range []time.Duration{0, 20 * time.Microsecond} {
		var d rtt
		base, fast := 200*ms, 0
		for range 4 * delayEpoch {
			base -= fall
			if !d.sample(base + between(rng, 0, 40*ms) + between(rng, 0, 40*ms)) {
				fast++
			}
		}
		assert.Zero(t, fast)
		trend := time.Duration(d.trend) * time.Microsecond
		assert.InDelta(t, fall*delayEpoch, trend, float64(3*ms))
	}
}

// A request that was given up says nothing of when it arrived.
func TestWhatIsGivenUpCountsAsLongAsBefore(t *testing.T) {
	for _, q := range []Quota{Every(sec), PerMinute(60).TokenBucket(1)} {
		l, err := q.Limiter()
		require.NoError(t, err)
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		r := Demand{}
		for range 2 * delaySamples {
			l.Take(now, r)
			now = now.Add(100 * ms)
			l.Done(now, now.Add(-100*ms), r)
			a := l.Ask(now, r)
			require.True(t, a.At.After(now))
			now = a.At
		}
		a := l.Ask(now, r)
		require.True(t, a.Admits(now))
		l.Take(now, r)
		l.Done(now.Add(ms), now, r)
		a = l.Ask(now.Add(sec+100*ms), r)
		assert.False(t, a.Admits(now.Add(sec+100*ms)), "it may be on its way still")
		a = l.Ask(now.Add(sec+maxDelay+100*ms), r)
		assert.True(t, a.Admits(now.Add(sec+maxDelay+100*ms)))
	}
}

// An answer that is late is looked for ever more seldom, and waited for no longer than can be.
func TestALateAnswerIsLookedForSeldom(t *testing.T) {
	for _, q := range []Quota{Every(sec), PerMinute(60).TokenBucket(1)} {
		l, err := q.Limiter()
		require.NoError(t, err)
		start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		r := Demand{}
		l.Take(start, r)
		now, asked := start, 0
		for ; asked < 100; asked++ {
			a := l.Ask(now, r)
			if a.Admits(now) {
				break
			}
			now = a.At
		}
		assert.Equal(t, sec+maxDelay, now.Sub(start))
		assert.Less(t, asked, 8)
	}
}

// One request that hangs must not keep the memory of all that came after it.
func TestATrailForgetsWhatWasAnswered(t *testing.T) {
	var trail eventLog
	trail.add(0, 0, 1)
	for at := range int64(10_000) {
		trail.add(at+1, 0, 2)
		ok := trail.pull(trail.find(at+1), 2)
		assert.True(t, ok)
		assert.Nil(t, trail.find(at+1))
	}
	assert.Less(t, cap(trail.slots), 64)
	assert.EqualValues(t, 1, trail.pop())
	assert.Empty(t, trail.live())
}
