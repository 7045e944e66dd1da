package backoff

import "time"

// Cap bounds the delay to most, which must be positive. It bounds the delays of the
// policy, never a wait that the server asked for.
func Cap(most time.Duration) Step {
	if most <= 0 {
		return broken("Cap: the delay must be positive, got %v", most)
	}
	return Step{apply: func(d draw) time.Duration { return min(d.delay, most) }}
}
