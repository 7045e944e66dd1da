package backoff

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// seeded returns a policy whose random numbers are the same in every run.
func seeded(t testing.TB, steps ...Step) *policy {
	t.Helper()
	p, err := newPolicy(rand.New(rand.NewPCG(1, 2)).Uint64N, steps)
	require.NoError(t, err)
	return p
}

const longest = time.Duration(math.MaxInt64)

func TestDelaysStepByStep(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		steps []Step
		want  []time.Duration
	}{
		"constant":               {[]Step{Constant(3 * s)}, []time.Duration{3 * s, 3 * s, 3 * s}},
		"constant zero":          {[]Step{Constant(0)}, []time.Duration{0, 0}},
		"linear":                 {[]Step{Linear(s, 2*s)}, []time.Duration{s, 3 * s, 5 * s, 7 * s}},
		"linear without growth":  {[]Step{Linear(s, 0)}, []time.Duration{s, s, s}},
		"linear from zero":       {[]Step{Linear(0, s)}, []time.Duration{0, s, 2 * s}},
		"exponential":            {[]Step{Exponential(s, 2)}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s}},
		"exponential, factor 1":  {[]Step{Exponential(s, 1)}, []time.Duration{s, s, s}},
		"exponential, factor .5": {[]Step{Exponential(4*s, 1.5)}, []time.Duration{4 * s, 6 * s, 9 * s}},
		"capped":                 {[]Step{Exponential(s, 2), Cap(5 * s)}, []time.Duration{s, 2 * s, 4 * s, 5 * s, 5 * s}},
		"capped twice":           {[]Step{Linear(s, s), Cap(3 * s), Cap(2 * s)}, []time.Duration{s, 2 * s, 2 * s}},
		"jitter without range":   {[]Step{Constant(s), Jitter(1, 1)}, []time.Duration{s, s}},
		"jitter, then cap":       {[]Step{Constant(s), Jitter(2, 3), Cap(s)}, []time.Duration{s, s}},
	} {
		t.Run(name, func(t *testing.T) {
			p := seeded(t, c.steps...)
			for i, want := range c.want {
				assert.Equal(t, want, p.Delay(i+1, 0), "retry %d", i+1)
			}
		})
	}
}

func TestRetryNumberBelowOneIsTheFirst(t *testing.T) {
	p := seeded(t, Exponential(time.Second, 2))
	for _, n := range []int{0, -1, math.MinInt} {
		assert.Equal(t, time.Second, p.Delay(n, 0))
	}
	d := seeded(t, Decorrelated(time.Second))
	assert.LessOrEqual(t, d.Delay(1, math.MinInt64), 3*time.Second)
}

func TestStepsAreTakenInTheOrderWritten(t *testing.T) {
	capFirst := seeded(t, Constant(time.Minute), Cap(time.Second), Jitter(1, 2))
	jitterFirst := seeded(t, Constant(time.Minute), Jitter(1, 2), Cap(time.Second))
	above := 0
	for range 100 {
		if capFirst.Delay(1, 0) > time.Second {
			above++
		}
		assert.Equal(t, time.Second, jitterFirst.Delay(1, 0))
	}
	assert.Greater(t, above, 90)
}

func TestNoDelayOverflows(t *testing.T) {
	for name, steps := range map[string][]Step{
		"exponential":          {Exponential(time.Second, 2)},
		"exponential, huge":    {Exponential(longest, math.MaxFloat64)},
		"exponential, shallow": {Exponential(1, 1+1e-9)},
		"linear":               {Linear(longest-1, 1)},
		"linear, steep":        {Linear(0, longest)},
		"linear, flat":         {Linear(longest, 0)},
		"jitter up":            {Constant(longest), Jitter(1, math.MaxFloat64)},
		"jitter full":          {Constant(longest), Jitter(0, 1)},
		"decorrelated":         {Decorrelated(longest)},
	} {
		t.Run(name, func(t *testing.T) {
			p := seeded(t, steps...)
			for _, n := range []int{1, 2, 3, 62, 63, 64, 65, 1 << 20, math.MaxInt32, math.MaxInt} {
				for _, prev := range []time.Duration{0, 1, longest / 3, longest/3 + 1, longest} {
					assert.GreaterOrEqual(t, p.Delay(n, prev), time.Duration(0), "retry %d after %v", n, prev)
				}
			}
		})
	}
}

func TestGrowthEndsAtTheLongestDuration(t *testing.T) {
	for name, step := range map[string]Step{
		"exponential": Exponential(time.Nanosecond, 2),
		"linear":      Linear(0, time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			p := seeded(t, step)
			last := time.Duration(0)
			for n := 1; n < math.MaxInt/2; n *= 2 {
				d := p.Delay(n, 0)
				require.GreaterOrEqual(t, d, last, "retry %d", n)
				last = d
			}
			assert.Equal(t, longest, last)
		})
	}
}

func TestNewRefusesWhatMakesNoPolicy(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	ok := Constant(time.Second)
	for name, steps := range map[string][]Step{
		"zero Step":                    {{}},
		"zero Step later":              {ok, {}},
		"nothing makes a delay":        {Cap(time.Second)},
		"two make a delay":             {ok, ok},
		"constant negative":            {Constant(-1)},
		"linear first negative":        {Linear(-1, 1)},
		"linear increment negative":    {Linear(1, -1)},
		"exponential first zero":       {Exponential(0, 2)},
		"exponential first negative":   {Exponential(-1, 2)},
		"exponential factor below one": {Exponential(1, 0.99)},
		"exponential factor NaN":       {Exponential(1, nan)},
		"exponential factor infinite":  {Exponential(1, inf)},
		"decorrelated zero":            {Decorrelated(0)},
		"cap zero":                     {ok, Cap(0)},
		"cap negative":                 {ok, Cap(-1)},
		"jitter low negative":          {ok, Jitter(-0.1, 1)},
		"jitter high below low":        {ok, Jitter(1, 0.9)},
		"jitter all zero":              {ok, Jitter(0, 0)},
		"jitter NaN low":               {ok, Jitter(nan, 1)},
		"jitter NaN high":              {ok, Jitter(0, nan)},
		"jitter infinite":              {ok, Jitter(0, inf)},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := New(steps[0], steps[1:]...)
			require.ErrorIs(t, err, ErrInvalid)
			assert.Contains(t, err.Error(), "backoff: invalid parameter: ")
			assert.Nil(t, p)
		})
	}
}

func TestPolicyServesManyAtOnce(t *testing.T) {
	p, err := New(Exponential(time.Millisecond, 2), Cap(time.Second), Jitter(0, 1))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for n := range 1000 {
				if d := p.Delay(n, time.Duration(n)); d < 0 || d > time.Second {
					t.Errorf("retry %d: %v", n, d)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzDelay(f *testing.F) {
	f.Add(int64(1), 2.0, int64(1), 0.5, 1.0, 3, int64(0))
	f.Add(int64(math.MaxInt64), math.MaxFloat64, int64(math.MaxInt64), 1.0, math.MaxFloat64, math.MaxInt, int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, first int64, factor float64, most int64, low, high float64, n int, prev int64) {
		d, m := time.Duration(first), time.Duration(most)
		for _, step := range []Step{Constant(d), Linear(d, m), Exponential(d, factor), Decorrelated(d)} {
			if p, err := New(step, Cap(m)); err == nil {
				if got := p.Delay(n, time.Duration(prev)); got < 0 || got > m {
					t.Errorf("delay %d is not from 0 to %d", got, m)
				}
			}
			if p, err := New(step, Jitter(low, high)); err == nil && p.Delay(n, time.Duration(prev)) < 0 {
				t.Error("negative delay")
			}
		}
	})
}

func BenchmarkDelay(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		defaultPolicy{}.Delay(3, time.Second)
	}
}
