package backoff

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Each kind of jitter must keep its bounds, reach close to both of them, and be
// uniform: mean in the middle, and a tenth of the samples in each tenth.
func TestJitterIsUniformWithinItsBounds(t *testing.T) {
	const s, n = time.Second, 20_000
	for name, c := range map[string]struct {
		steps  []Step
		retry  int
		prev   time.Duration
		lo, hi time.Duration
	}{
		"full":                        {[]Step{Exponential(s, 2), Jitter(0, 1)}, 3, 0, 0, 4 * s},
		"equal":                       {[]Step{Exponential(s, 2), Jitter(0.5, 1)}, 3, 0, 2 * s, 4 * s},
		"proportional, up":            {[]Step{Exponential(s, 2), Jitter(1, 1.1)}, 5, 0, 16 * s, 17600 * time.Millisecond},
		"proportional, both ways":     {[]Step{Exponential(s, 2), Jitter(0.8, 1.2)}, 1, 0, 800 * time.Millisecond, 1200 * time.Millisecond},
		"decorrelated, first":         {[]Step{Decorrelated(s)}, 1, 0, s, 3 * s},
		"decorrelated, after 5 s":     {[]Step{Decorrelated(s)}, 2, 5 * s, s, 15 * s},
		"decorrelated, after a blink": {[]Step{Decorrelated(s)}, 2, 1, s, 3 * s},
		"full, of the longest":        {[]Step{Constant(longest), Jitter(0, 1)}, 1, 0, 0, longest},
		"after a cap":                 {[]Step{Exponential(s, 2), Cap(2 * s), Jitter(0.5, 1)}, 9, 0, s, 2 * s},
	} {
		t.Run(name, func(t *testing.T) {
			p := seeded(t, c.steps...)
			width := float64(c.hi - c.lo)
			var tenths [10]int
			var sum float64
			lo, hi := longest, time.Duration(0)
			for range n {
				d := p.Delay(c.retry, c.prev)
				lo, hi = min(lo, d), max(hi, d)
				at := float64(d-c.lo) / width
				sum += at
				tenths[min(9, max(0, int(at*10)))]++
			}
			assert.GreaterOrEqual(t, lo, c.lo)
			assert.LessOrEqual(t, hi, c.hi)
			assert.Less(t, float64(lo-c.lo), width/1000, "the lower bound is reached")
			assert.Less(t, float64(c.hi-hi), width/1000, "the upper bound is reached")
			// Three standard deviations: sqrt(1/12/n) and sqrt(n × 0.1 × 0.9).
			assert.InDelta(t, 0.5, sum/n, 3*math.Sqrt(1.0/12/n), "mean")
			assert.InDelta(t, n/10, slices.Max(tenths[:]), 3.5*math.Sqrt(n*0.09), "fullest tenth")
			assert.InDelta(t, n/10, slices.Min(tenths[:]), 3.5*math.Sqrt(n*0.09), "emptiest tenth")
		})
	}
}

func TestDecorrelatedGrowsWithWhatWasWaited(t *testing.T) {
	p := seeded(t, Decorrelated(time.Second), Cap(time.Minute))
	const runs = 2000
	var means [6]float64
	for range runs {
		var prev time.Duration
		for i := range means {
			prev = p.Delay(i+1, prev)
			means[i] += prev.Seconds() / runs
		}
	}
	// Without the cap, if the mean of one retry is m, that of the next is (1 + 3m)/2:
	// 2, 3.5, 5.75, 9.1 s and so on. The cap lowers the later ones.
	assert.InDelta(t, 2, means[0], 0.1)
	assert.InDelta(t, 3.5, means[1], 0.2)
	assert.InDelta(t, 5.75, means[2], 0.5)
	assert.True(t, slices.IsSorted(means[:]), "%v", means)
}

func TestJitterOfZeroIsZero(t *testing.T) {
	assert.Zero(t, seeded(t, Constant(0), Jitter(0, 5)).Delay(1, 0))
}

func TestJitterUpwardNeverShortensALongDelay(t *testing.T) {
	// A float64 has 53 bits, so that this delay times 1.0 would lose a nanosecond.
	const d = time.Duration(1<<62 + 1)
	assert.Equal(t, d, seeded(t, Constant(d), Jitter(1, 1)).Delay(1, 0))
	assert.Equal(t, d, seeded(t, Exponential(d, 2)).Delay(1, 0))
}

func TestServerWaitIsNeverShortened(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)).Uint64N
	for wait, most := range map[time.Duration]time.Duration{
		-time.Second:         0,
		0:                    0,
		9:                    9, // a twentieth of it is less than a nanosecond
		time.Second:          1050 * time.Millisecond,
		10 * time.Second:     10500 * time.Millisecond,
		time.Minute:          61 * time.Second,
		24 * time.Hour:       24*time.Hour + time.Second,
		longest - 1:          longest,
		longest:              longest,
		9223372037 * 1e9 / 2: 9223372037*1e9/2 + time.Second,
	} {
		asked := max(wait, 0)
		var sum float64
		const n = 10_000
		for range n {
			got := serverWait(wait, random)
			if got < asked || got > most {
				t.Fatalf("%v for %v", got, wait)
			}
			sum += float64(got - asked)
		}
		if spread := float64(most - asked); spread > 1e6 {
			assert.InDelta(t, spread/2, sum/n, spread*0.02, "mean spread of %v", wait)
		}
	}
	assert.GreaterOrEqual(t, ServerWait(time.Minute), time.Minute)
}
