package refusals

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// Every number in flight has one class, and larger numbers have larger classes.
func TestConcurrencyClasses(t *testing.T) {
	class := -1
	for n := range int64(1000) {
		got := concurrencyClass(n)
		assert.True(t, got == class || got == class+1, n)
		class = got
		assert.GreaterOrEqual(t, concurrencyClassEnd(class), n)
		if class > 0 {
			assert.Less(t, concurrencyClassEnd(class-1), n)
		}
	}
	assert.Equal(t, concurrencyClasses-1, concurrencyClass(1<<60))
}

// Refusals of which none came below a number in flight, and many did above, show that limit.
// A server that sheds a share of all requests has none, nor has one that refuses more the
// more is sent.
func TestConcurrencyEstimate(t *testing.T) {
	for name, c := range map[string]struct {
		refuses func(n int64, random *rand.Rand) bool
		least   int64
		most    int64
	}{
		"ten at once":        {func(n int64, _ *rand.Rand) bool { return n > 10 }, 10, 10},
		"ten, or one more":   {func(n int64, r *rand.Rand) bool { return n > 10+r.Int64N(2) }, 9, 11},
		"fifty at once":      {func(n int64, _ *rand.Rand) bool { return n > 50 }, 46, 54},
		"a fifth of all":     {func(_ int64, r *rand.Rand) bool { return r.IntN(5) == 0 }, 0, 0},
		"half of all":        {func(_ int64, r *rand.Rand) bool { return r.IntN(2) == 0 }, 0, 0},
		"one in fifty":       {func(_ int64, r *rand.Rand) bool { return r.IntN(50) == 0 }, 0, 0},
		"everything":         {func(int64, *rand.Rand) bool { return true }, 0, 0},
		"more with each":     {func(n int64, r *rand.Rand) bool { return r.Int64N(200) < n }, 0, 0},
		"nothing, ever":      {func(int64, *rand.Rand) bool { return false }, 0, 0},
		"only one at a time": {func(n int64, _ *rand.Rand) bool { return n > 1 }, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(50) {
				random := rand.New(rand.NewPCG(seed, 3))
				var l concurrencyLog
				for range 600 {
					n := 1 + random.Int64N(20)
					if c.least > 40 {
						n = 30 + random.Int64N(30)
					}
					l.observe(n, c.refuses(n, random))
				}
				got, _ := l.estimate(0, 0)
				assert.GreaterOrEqual(t, got, c.least, seed)
				assert.LessOrEqual(t, got, c.most, seed)
			}
		})
	}
}

// Requests sent at about the same time may arrive in any order, so that each counts as the
// last of them.
func TestConcurrencyOfABurst(t *testing.T) {
	var l concurrencyLog
	first := l.send(0, clock.Millisecond, 1, 1)
	assert.Same(t, first, l.send(clock.Millisecond, clock.Millisecond, 2, 2))
	assert.EqualValues(t, 2, first.inFlight)
	assert.NotSame(t, first, l.send(2*clock.Millisecond, clock.Millisecond, 3, 3))
	assert.EqualValues(t, 2, first.inFlight)
}
