package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

func TestFixedWindowsAreNoBuckets(t *testing.T) {
	for _, model := range []func() ratemodel.Model{minutes(120), rolling(120)} {
		s := simulation{model: model, announce: announcement{step: time.Millisecond, lengths: true}, callers: 20, length: 5 * time.Minute,
			policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
		s.watch = func(now time.Duration, k *Limiter) {
			if len(k.windows) > 0 && k.windows[0].kind.Emission() > 0 {
				t.Fatalf("recognised at %v", now)
			}
		}
		assert.Zero(t, s.run().refused)
	}
}

// A guess at the usual period must not be made while the emission interval is known
// only roughly: 83 of 151 an hour look for a moment like 83 in half an hour.
func TestAnOddPeriodIsNotRoundedToAUsualOne(t *testing.T) {
	s, words := random(2086)
	o := s.run()
	assert.Zero(t, o.refused, "%s: %v", words, o)
}
