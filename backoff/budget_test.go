package backoff

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func TestBudgetStepByStep(t *testing.T) {
	var b Budget
	for i, step := range []struct {
		at       float64 // seconds
		requests int     // first attempts at that time
		retries  int     // retries asked for at that time
		allowed  int
	}{
		{0, 0, 12, 10},   // the floor
		{0, 5, 2, 1},     // a fifth of five requests
		{0, 4, 1, 0},     // 1.8 in all
		{0, 1, 2, 1},     // 2 in all
		{1, 0, 2, 0},     // 12 faded to 10.86, 2 to 1.81: 0.95 are free
		{2, 0, 2, 1},     // 12 to 9.82, 2 to 1.64: 1.81 are free
		{60, 0, 12, 9},   // 10.8 decayed to 0.03, and half of the floor's last retry
		{600, 0, 12, 10}, // everything has decayed
		{600, 1000, 300, 200},
	} {
		for range step.requests {
			b.Request(at(step.at))
		}
		allowed := 0
		for range step.retries {
			if b.Retry(at(step.at)) {
				allowed++
			}
		}
		assert.Equal(t, step.allowed, allowed, "step %d", i)
	}
	got := b.Stats(at(600))
	assert.EqualValues(t, 10+1+1+1+9+10+200, got.Allowed)
	assert.EqualValues(t, 2+1+1+1+2+1+3+2+100, got.Denied)
	assert.InDelta(t, 1000, got.Requests, 1)
	assert.InDelta(t, 210, got.Retries, 1)
	assert.Zero(t, got.Free)
}

func TestBudgetIsAShareOfSteadyTraffic(t *testing.T) {
	// 100 requests a second for five minutes, each of which asks for three retries.
	var b Budget
	var retries float64
	for i := range 30_000 {
		now := start.Add(time.Duration(i) * 10 * time.Millisecond)
		b.Request(now)
		for range 3 {
			if b.Retry(now) {
				retries++
			}
		}
	}
	// A fifth of the traffic, and the floor of one a second.
	assert.InDelta(t, 0.2*30_000+300+10, retries, 40)
}

func TestBudgetBoundHoldsWhateverTheTraffic(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		share, floor := random.Float64(), random.IntN(20)
		window := time.Duration(1 + random.IntN(int(time.Minute)))
		b, err := NewBudget(share, floor, window)
		require.NoError(t, err)

		now, requests, retries := start, 0.0, 0.0
		for range 500 {
			now = now.Add(time.Duration(random.Float64() * random.Float64() * float64(window)))
			for range random.IntN(20) {
				b.Request(now)
				requests++
			}
			for range random.IntN(30) {
				if b.Retry(now) {
					retries++
				}
			}
			if free := b.Stats(now).Free; free < 0 {
				t.Fatalf("seed %d: %d retries are free", seed, free)
			}
			windows := float64(now.Sub(start)) / float64(window)
			if most := float64(floor)*(1+windows) + share*requests + 1e-3; retries > most {
				t.Fatalf("seed %d: %v retries, at most %v allowed", seed, retries, most)
			}
		}
		require.Positive(t, retries)
	}
}

func TestRefundGivesBackWhatIsLeft(t *testing.T) {
	var b Budget
	for range 10 {
		require.True(t, b.Retry(at(0)))
	}
	require.False(t, b.Retry(at(0)))
	b.Refund(at(0), at(0))
	assert.Equal(t, 1, b.Stats(at(0)).Free)
	require.True(t, b.Retry(at(0)))

	before := b.Stats(at(10)).Retries
	b.Refund(at(0), at(10))
	assert.InDelta(t, math.Exp(-1), before-b.Stats(at(10)).Retries, 1e-9)

	for range 20 {
		b.Refund(at(10), at(10))
	}
	assert.Zero(t, b.Stats(at(10)).Retries, "never below nothing")
	assert.Equal(t, 10, b.Stats(at(10)).Free)
}

func TestBudgetWhenTimeGoesBack(t *testing.T) {
	var b Budget
	for range 10 {
		require.True(t, b.Retry(at(100)))
	}
	assert.False(t, b.Retry(at(0)))
	assert.False(t, b.Retry(at(100)))
	b.Refund(at(200), at(0))
	assert.InDelta(t, 9, b.Stats(at(100)).Retries, 1e-9)
	assert.False(t, math.IsNaN(b.Stats(at(1e9)).Retries))
}

func TestNewBudget(t *testing.T) {
	for name, c := range map[string]struct {
		share  float64
		floor  int
		window time.Duration
	}{
		"share negative": {-0.1, 1, 1}, "share above one": {1.1, 1, 1}, "share NaN": {math.NaN(), 1, 1},
		"floor negative": {0.2, -1, 1}, "window zero": {0.2, 1, 0}, "window negative": {0.2, 1, -1},
	} {
		b, err := NewBudget(c.share, c.floor, c.window)
		assert.ErrorIs(t, err, ErrInvalid, name)
		assert.Nil(t, b, name)
	}

	none, err := NewBudget(0, 0, time.Second)
	require.NoError(t, err)
	none.Request(at(0))
	assert.False(t, none.Retry(at(0)))

	all, err := NewBudget(1, 0, time.Second)
	require.NoError(t, err)
	assert.False(t, all.Retry(at(0)))
	all.Request(at(0))
	assert.True(t, all.Retry(at(0)))
	assert.False(t, all.Retry(at(0)))

	rounded, err := NewBudget(0.29, 0, time.Second)
	require.NoError(t, err)
	for range 100 {
		rounded.Request(at(0))
	}
	assert.Equal(t, 29, rounded.Stats(at(0)).Free)

	same, err := NewBudget(0.2, 10, 10*time.Second)
	require.NoError(t, err)
	var zero Budget
	for _, b := range []*Budget{same, &zero} {
		for range 50 {
			b.Request(at(0))
		}
		assert.Equal(t, 20, b.Stats(at(0)).Free)
		assert.InDelta(t, 50*math.Exp(-0.5), b.Stats(at(5)).Requests, 1e-9)
	}
}

func TestBudgetAllowsExactlyItsNumberUnderContention(t *testing.T) {
	var b Budget
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 20 {
				b.Request(start)
				b.Stats(start)
			}
		})
	}
	wg.Wait()
	for range 50 {
		wg.Go(func() {
			for range 20 {
				if b.Retry(start) {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 10+200, allowed.Load())
	assert.EqualValues(t, 1000-210, b.Stats(start).Denied)
}

func BenchmarkBudgetRequest(b *testing.B) {
	b.ReportAllocs()
	var budget Budget
	now := start
	for b.Loop() {
		now = now.Add(time.Microsecond)
		budget.Request(now)
	}
}

// A nil budget allows everything and costs nothing.
func TestNilBudgetAllowsAll(t *testing.T) {
	var b *Budget
	b.Request(start)
	for range 1000 {
		require.True(t, b.Retry(start))
	}
	b.Refund(start, start)
	assert.Equal(t, BudgetStats{Free: math.MaxInt}, b.Stats(start))
}
