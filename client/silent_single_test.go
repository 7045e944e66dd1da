package client_test

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// every admits a request so long after the last that it admitted.
func every(gap time.Duration) func(time.Time) bool {
	var last time.Time
	return func(now time.Time) bool {
		if now.Sub(last) < gap {
			return false
		}
		last = now
		return true
	}
}

// A limit of one request at a time, of which not even refusals tell when it opens, is soon found: requests come ever closer, and
// after a refusal about as close as those that were served before it.
func TestSilentLimitOfOneAtATime(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many minutes")
	}
	for name, c := range map[string]struct {
		gap     time.Duration
		callers int
		least   float64 // of what is possible, on average of four draws
	}{
		"one a second":       {time.Second, 5, .83},
		"one a second, many": {time.Second, 20, .83},
		"one in two seconds": {2 * time.Second, 5, .83},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const draws, span = 4, 5 * time.Minute
			done := 0
			for seed := range uint64(draws) {
				synctest.Test(t, func(t *testing.T) {
					s := &silentAPI{rng: rand.New(rand.NewPCG(seed, 5)), status: http.StatusTooManyRequests, admits: every(c.gap)}
					done += gets(t, &http.Client{Transport: transport(t, s)}, c.callers, 0, span)
				})
			}
			share := float64(done) / float64(draws*(span/c.gap))
			t.Logf("%.3f", share)
			assert.GreaterOrEqual(t, share, c.least)
		})
	}
}
