package backoff

import (
	"math"
	"math/rand/v2"
	"time"
)

// Cap lowers a longer delay to most, which must be positive. It bounds what the
// policy makes, never a time that the server named.
func Cap(most time.Duration) Step {
	if most <= 0 {
		return broken("Cap: the delay must be positive, got %v", most)
	}
	return Step{apply: func(d draw) time.Duration { return min(d.delay, most) }}
}

// Jitter replaces the delay by a random one between low and high times the
// delay, each as likely as any other, so that callers that failed together do
// not come back together. The usual kinds are:
//
//   - full jitter, Jitter(0, 1): the fewest collisions, but a retry may come at
//     once;
//   - equal jitter, Jitter(0.5, 1): half of the delay is certain;
//   - proportional jitter, Jitter(1, 1.1): the delay and up to 10 % more, or
//     Jitter(0.8, 1.2): 20 % less to 20 % more.
//
// Decorrelated jitter is made by [Decorrelated]. Low must not be negative, and
// high must be finite, positive and not below low.
func Jitter(low, high float64) Step {
	if !(low >= 0 && high >= low && high > 0) || math.IsInf(high, 0) {
		return broken("Jitter: the factors must be finite, and a range, got %v to %v", low, high)
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

// ServerWait returns the time to wait when the server asked for wait: never
// less, and up to a twentieth of it more, but at most a second more, so that
// processes that were told the same moment do not all come back at it. A
// negative wait counts as zero; zero stays zero.
//
// The spread is small because the time is the server's: each second waited in
// addition is quota that nobody uses.
func ServerWait(wait time.Duration) time.Duration {
	return serverWait(wait, rand.Uint64N)
}

func serverWait(wait time.Duration, random source) time.Duration {
	wait = max(wait, 0)
	more := min(wait/spreadPart, spreadMost, math.MaxInt64-wait)
	return random.between(wait, wait+more)
}
