package backoff

import (
	"math"
	"math/rand/v2"
	"time"
)

// Jitter replaces the delay by a random one, uniformly distributed between low and
// high times the delay, so that callers that failed together do not retry
// together. The usual kinds are:
//
//   - full jitter, Jitter(0, 1): the fewest collisions, but a retry may come at
//     once;
//   - equal jitter, Jitter(0.5, 1): at least half of the delay;
//   - proportional jitter, Jitter(1, 1.1): the delay and up to 10 % more, or
//     Jitter(0.8, 1.2): 20 % less to 20 % more.
//
// For decorrelated jitter, use [Decorrelated]. low must not be negative, and
// high must be finite, positive and not less than low.
func Jitter(low, high float64) Step {
	if !(low >= 0 && high >= low && high > 0) || math.IsInf(high, 0) {
		return broken("Jitter: the factors must be finite, 0 <= low <= high and high > 0, got %v and %v", low, high)
	}
	return Step{apply: func(d draw) time.Duration {
		return d.random.between(scale(d.delay, low), scale(d.delay, high))
	}}
}

// The spread of ServerWait.
const (
	spreadPart = 20 // one part in twenty
	spreadMost = time.Second
)

// ServerWait returns how long to wait if the server asked to wait for wait. It adds
// a random time of up to a twentieth of wait, and at most a second, so that
// processes that got the same wait do not all return at once; the result is never
// less than wait. A negative wait counts as zero; zero stays zero.
//
// The added time is short because every additional second leaves quota unused.
func ServerWait(wait time.Duration) time.Duration {
	return serverWait(wait, rand.Uint64N)
}

func serverWait(wait time.Duration, random source) time.Duration {
	wait = max(wait, 0)
	more := min(wait/spreadPart, spreadMost, math.MaxInt64-wait)
	return random.between(wait, wait+more)
}
