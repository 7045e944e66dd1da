package throttle

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// filling returns a bucket that holds so many and regains so many in a period.
func filling(capacity, n int, per time.Duration, reset ratemodel.ResetRule) func() ratemodel.Model {
	return func() ratemodel.Model {
		m := ratemodel.NewBucket(capacity, n, per)
		m.Reset = reset
		return m
	}
}

// Of token buckets that are full again within a second, a reset in whole seconds tells nothing, and one in
// milliseconds is over when the response comes. They serve about as much as to a client that knows of no
// limits and comes back when a refusal says, and hardly refuse.
func TestFastBucketsBesideAPlainClient(t *testing.T) {
	skipUnderRace(t)
	seconds := announcement{step: time.Second, rounding: 1, date: true, wait: true}
	moments := announcement{step: time.Second, rounding: 1, date: true, wait: true, epoch: true}
	lengths := announcement{step: time.Second, rounding: 1, date: true, wait: true, lengths: true, whole: true}
	millis := announcement{step: time.Millisecond, date: true, wait: true, epoch: true}
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		announce announcement
		callers  int
		least    float64
	}{
		"10, 50 a second, seconds":       {filling(10, 50, time.Second, ratemodel.ResetFull), seconds, 20, .8},
		"10, 50 a second, Unix seconds":  {filling(10, 50, time.Second, ratemodel.ResetFull), moments, 20, .8},
		"10, 50 a second, milliseconds":  {filling(10, 50, time.Second, ratemodel.ResetFull), millis, 20, .9},
		"10, 50 a second, 60 callers":    {filling(10, 50, time.Second, ratemodel.ResetFull), seconds, 60, .8},
		"10, 50 a second, the next":      {filling(10, 50, time.Second, ratemodel.ResetNext), seconds, 20, .8},
		"10, 50 a second, a length":      {filling(10, 50, time.Second, ratemodel.ResetFull), lengths, 20, .8},
		"5, 20 a second, a length":       {filling(5, 20, time.Second, ratemodel.ResetFull), lengths, 20, .8},
		"one, 2 a second, the next":      {filling(1, 2, time.Second, ratemodel.ResetNext), moments, 5, 1.6},
		"one, 5 a second, the next":      {filling(1, 5, time.Second, ratemodel.ResetNext), moments, 5, 3},
		"one, 5 a minute, Unix ms":       {filling(1, 5, time.Minute, ratemodel.ResetFull), millis, 1, .95},
		"one, 5 a minute, Unix seconds":  {filling(1, 5, time.Minute, ratemodel.ResetFull), moments, 1, .9},
		"one, one a second, nothing but": {filling(1, 1, time.Second, ratemodel.ResetNone), seconds, 5, .95},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulation{model: c.model, announce: c.announce, callers: c.callers, length: time.Minute, policy: DefaultPolicy(),
				fastest: 40 * time.Millisecond, slowest: 60 * time.Millisecond, start: 300 * time.Millisecond}
			if !strings.Contains(name, "50") && !strings.Contains(name, "20") {
				s.length = 20 * time.Minute
			}
			ours := s.run()
			s.bare = true
			plain := s.run()
			share := float64(ours.admitted) / float64(plain.admitted)
			t.Logf("%.2f of a plain client's: %v; plain %v", share, ours, plain)
			assert.Greater(t, share, c.least)
			assert.LessOrEqual(t, ours.refused, 6+ours.sent/40)
		})
	}
}

// Half of the responses tell nothing: what the others tell shows a fast bucket all the same.
func TestFastBucketsThatAreToldNowAndThen(t *testing.T) {
	skipUnderRace(t)
	for name, told := range map[string]announcement{
		"a length":     {step: time.Second, rounding: 1, date: true, wait: true, lengths: true, whole: true},
		"milliseconds": {step: time.Millisecond, date: true, wait: true, epoch: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulation{model: filling(10, 50, time.Second, ratemodel.ResetFull), announce: told, callers: 20, length: 2 * time.Minute,
				policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 60 * time.Millisecond, start: 300 * time.Millisecond, faults: .5}
			var admitted, plain float64
			for s.seed = range 3 {
				s.bare = false
				ours := s.run()
				t.Log(ours)
				assert.LessOrEqual(t, ours.refused, 6+ours.sent/40)
				s.bare = true
				admitted, plain = admitted+float64(ours.admitted), plain+float64(s.run().admitted)
			}
			t.Logf("%.2f of a plain client's", admitted/plain)
			assert.Greater(t, admitted/plain, .8)
		})
	}
}

// A window of a second that is as it says is used up all the same while it is found out that it is no bucket.
func TestWindowsOfASecondAreNoBuckets(t *testing.T) {
	for seed := range uint64(5) {
		s := simulation{model: func() ratemodel.Model { return ratemodel.NewFixed(10, time.Second) }, callers: 20, length: 2 * time.Minute,
			announce: announcement{step: time.Second, rounding: 1, date: true, wait: true, lengths: true},
			policy:   DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 60 * time.Millisecond, start: 300 * time.Millisecond, seed: seed}
		got := s.run()
		t.Log(got)
		assert.Greater(t, got.used(), .94)
		assert.Zero(t, got.refused)
	}
}

// A window of one request of which the length is told is used in each of its lengths, not in every other.
func TestWindowsOfOneRequest(t *testing.T) {
	for _, length := range []time.Duration{12 * time.Second, time.Minute} {
		for _, told := range []bool{true, false} {
			s := simulation{model: func() ratemodel.Model {
				m := ratemodel.NewFixed(1, length)
				m.FromFirst = true
				return m
			}, announce: announcement{step: time.Second, rounding: 1, date: true, wait: true, lengths: told}, callers: 2, length: 60 * length,
				policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 60 * time.Millisecond}
			got := s.run()
			t.Log(length, told, got)
			assert.Greater(t, got.used(), .85)
			assert.LessOrEqual(t, got.refused, 3)
		}
	}
}
