package throttle

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A limit on the requests in flight that the server does not announce is found, and kept to,
// whatever rate that is: hardly less is served than to clients that try all the time, of
// whose requests most are refused.
func TestConcurrencyIsLearned(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	const seeds = uint64(5)
	for name, c := range map[string]struct {
		limit, callers int
		service        [2]time.Duration
		wait           bool
		least          float64 // of what a plain client gets
	}{
		"10 at once":              {10, 20, [2]time.Duration{100 * time.Millisecond, 110 * time.Millisecond}, false, .85},
		"10 at once, Retry-After": {10, 20, [2]time.Duration{100 * time.Millisecond, 110 * time.Millisecond}, true, .85},
		"4 at once, uneven":       {4, 20, [2]time.Duration{50 * time.Millisecond, time.Second}, false, .9},
		"50 at once, uneven":      {50, 100, [2]time.Duration{50 * time.Millisecond, time.Second}, false, .9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var shares []float64
			for seed := range seeds {
				var limiter *Limiter
				s := simulation{model: func() ratemodel.Model { return ratemodel.NewConcurrent(c.limit) }, announce: announcement{mute: true, wait: c.wait},
					callers: c.callers, service: c.service, length: 15 * time.Minute, policy: DefaultPolicy(),
					fastest: 10 * time.Millisecond, slowest: 20 * time.Millisecond, seed: seed,
					watch: func(_ time.Duration, k *Limiter) { limiter = k }}
				got := s.run()
				knows := limiter.Status(epoch.Add(s.length)).Windows
				s.bare = true
				plain := s.run()
				shares = append(shares, float64(got.admitted)/float64(plain.admitted))
				t.Logf("seed %d: %.3f of %d, refused %.2f %%, plain %.2f %%; %v", seed, shares[seed], plain.admitted,
					100*got.refusals(), 100*plain.refusals(), knows)
				assert.Less(t, got.refusals(), .055)
			}
			slices.Sort(shares)
			assert.Greater(t, shares[len(shares)/2], c.least)
		})
	}
}
