package throttle

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A meter counts what requests cost.
type meter struct {
	ratemodel.Model
	least, most int
	random      *rand.Rand
}

func (m *meter) Admit(now time.Time) bool {
	cost := m.least + m.random.IntN(m.most-m.least+1)
	for _, w := range m.Windows(nil, now) {
		if w.Remaining < cost {
			return false
		}
	}
	for range cost {
		m.Model.Admit(now)
	}
	return true
}

// What is left falls by what each request costs, and nobody else is there: as many go as
// there is enough for, and hardly any more.
func TestRequestsThatCostMore(t *testing.T) {
	for _, c := range []struct {
		name        string
		limit       func() ratemodel.Model
		unit        string
		least, most int
		possible    float64
		used        float64
	}{
		{"tokens a minute", func() ratemodel.Model { return ratemodel.NewFixed(10000, time.Minute) }, "tokens", 70, 100, 10 * 10000 / 85, .9},
		{"points a minute", func() ratemodel.Model { return ratemodel.NewFixed(1000, time.Minute) }, "points", 10, 10, 10 * 100, .95},
		{"tokens in a bucket", func() ratemodel.Model {
			m := ratemodel.NewBucket(10000, 10000, time.Minute)
			m.Reset = ratemodel.ResetFull
			return m
		}, "tokens", 70, 100, 11 * 10000 / 85, .85},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := simulation{announce: announcement{unit: c.unit, step: time.Millisecond, date: true}, callers: 20,
					length: 10 * time.Minute, policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 80 * time.Millisecond, seed: seed,
					model: func() ratemodel.Model {
						return &meter{c.limit(), c.least, c.most, rand.New(rand.NewPCG(seed, 4))}
					}}
				var last Status
				s.watch = func(now time.Duration, k *Limiter) { last = k.Status(epoch.Add(now)) }
				got := s.run()
				t.Logf("admitted %d of %.0f, refused %d", got.admitted, c.possible, got.refused)
				assert.Greater(t, float64(got.admitted), c.used*c.possible)
				assert.Less(t, float64(got.refused), .02*float64(got.sent))
				assert.False(t, last.Windows[0].Others, "nobody else is there")
			}
		})
	}
}
