package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A renewed window begins anew with each request: it ends once no request came for its length.
type renewed struct {
	limit, count int
	length       time.Duration
	until        time.Time
}

func (r *renewed) Admit(now time.Time) bool {
	if !now.Before(r.until) {
		r.count = 0
	}
	if r.count == r.limit {
		return false
	}
	r.count++
	r.until = now.Add(r.length)
	return true
}

func (r *renewed) Next(now time.Time) time.Time {
	if r.count < r.limit || now.After(r.until) {
		return now
	}
	return r.until
}

func (r *renewed) Windows(dst []ratemodel.Window, now time.Time) []ratemodel.Window {
	return append(dst, ratemodel.Window{Limit: r.limit, Remaining: r.limit - r.count, Length: r.length, Reset: r.until})
}

// Its reset is that of the newest request too, but it forgets none: no log explains it.
func TestARenewedWindowIsNoLog(t *testing.T) {
	for _, think := range []time.Duration{0, time.Second, 5 * time.Second, 20 * time.Second} {
		s := simulation{model: func() ratemodel.Model { return &renewed{limit: 60, length: 10 * time.Second} }, callers: 5, think: think,
			announce: announcement{step: time.Millisecond, wait: true, date: true, lengths: true}, length: 20 * time.Minute, policy: DefaultPolicy(),
			fastest: latencies[1][0], slowest: latencies[1][1]}
		s.watch = func(now time.Duration, k *Limiter) {
			assert.False(t, k.windows[0].kind.Regains(), "at %v", now)
		}
		assert.LessOrEqual(t, s.run().refused, 2, "think %v: as tests", think)
	}
}

// A log whose reset is that of the newest request is followed from the third window on,
// if its length is told.
func TestALogThatTellsWhenItIsEmpty(t *testing.T) {
	for _, length := range []time.Duration{7 * time.Second, 13 * time.Second, 45 * time.Second, time.Minute} {
		s := simulation{model: func() ratemodel.Model {
			m := ratemodel.NewSlidingLog(60, length)
			m.Reset = ratemodel.ResetFull
			return m
		}, callers: 10, announce: announcement{step: time.Millisecond, rounding: 1, wait: true, date: true, lengths: true},
			start: into, length: 10 * time.Minute, policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
		o := s.run()
		assert.Zero(t, o.refused, "%v: %v", length, o)
		assert.GreaterOrEqual(t, o.used(), .97, "%v: %v", length, o)
	}
}
