package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A fronted API has a limit in front of it that speaks under the same names, and only
// when it refuses.
type fronted struct {
	ratemodel.Model
	front  ratemodel.Model
	speaks ratemodel.Model
}

func (f *fronted) Admit(now time.Time) bool {
	if !f.front.Admit(now) {
		f.speaks = f.front
		return false
	}
	f.speaks = f.Model
	return f.Model.Admit(now)
}

func (f *fronted) Windows(dst []ratemodel.Window, now time.Time) []ratemodel.Window {
	return f.speaks.Windows(dst, now)
}

func (f *fronted) Next(now time.Time) time.Time { return f.speaks.Next(now) }

func TestALimitInFront(t *testing.T) {
	for name, c := range map[string]struct {
		front, api func() ratemodel.Model
		possible   int
	}{
		"20 a second before 300 a minute":      {func() ratemodel.Model { return ratemodel.NewFixed(20, time.Second) }, minutes(300), 3000},
		"50 in ten seconds before 1000":        {func() ratemodel.Model { return ratemodel.NewFixed(50, 10*time.Second) }, minutes(1000), 3000},
		"10 a second, rolling, before an hour": {func() ratemodel.Model { return ratemodel.NewSlidingLog(10, time.Second) }, func() ratemodel.Model { return ratemodel.NewFixed(2000, time.Hour) }, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := simulation{announce: announcement{step: time.Second, rounding: 1, wait: true, date: true}, callers: 20,
					length: 10 * time.Minute, policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 50 * time.Millisecond, seed: seed,
					model: func() ratemodel.Model {
						f := &fronted{Model: c.api(), front: c.front()}
						f.speaks = f.Model
						return f
					}}
				got := s.run()
				t.Logf("admitted %d of %d, refused %d", got.admitted, c.possible, got.refused)
				assert.Greater(t, got.admitted, c.possible*8/10)
				assert.Less(t, float64(got.refused), .02*float64(got.sent))
			}
		})
	}
}
