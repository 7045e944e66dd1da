package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// The short names of what every file uses of time.
type (
	instant  = clock.Instant
	interval = clock.Interval
)

const (
	millisecond = clock.Millisecond
	second      = clock.Second
	never       = clock.Never
	farthest    = clock.Farthest
)

// jitter returns a random time of at most the given one.
func (k *Limiter) jitter(most instant) instant { return clock.Jitter(&k.random, most) }

// instant returns a time as an instant. A program that runs for a hundred years is
// right about it.
func (k *Limiter) instant(now time.Time) instant {
	return min(max(instant(now.Sub(k.clock.Origin)), -4*farthest), 4*farthest)
}
