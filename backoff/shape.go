package backoff

import (
	"math"
	"time"
)

// Constant makes the same delay before every retry. A negative delay is
// invalid; with zero, retries are made at once.
func Constant(delay time.Duration) Step {
	if delay < 0 {
		return broken("Constant: the delay must not be negative, got %v", delay)
	}
	return Step{makes: true, apply: func(draw) time.Duration { return delay }}
}

// Linear makes a delay that grows by the same amount with every retry.
// Linear(1s, 2s) waits 1s, 3s, 5s, 7s. Negative parameters are invalid.
func Linear(first, increment time.Duration) Step {
	if first < 0 || increment < 0 {
		return broken("Linear: first %v and increment %v must not be negative", first, increment)
	}
	return Step{makes: true, apply: func(d draw) time.Duration {
		grown := int64(d.n - 1)
		if increment > 0 && grown > int64((math.MaxInt64-first)/increment) {
			return math.MaxInt64
		}
		return first + time.Duration(grown)*increment
	}}
}

// Exponential makes a delay that is multiplied by factor with every retry.
// Exponential(1s, 2) waits 1s, 2s, 4s, 8s, 16s. The first delay must be
// positive, and the factor finite and at least 1.
//
// Without a [Cap] it grows to the largest [time.Duration], which is 292 years.
func Exponential(first time.Duration, factor float64) Step {
	if first <= 0 {
		return broken("Exponential: the first delay must be positive, got %v", first)
	}
	if !(factor >= 1) || math.IsInf(factor, 0) {
		return broken("Exponential: the factor must be a finite number of at least 1, got %v", factor)
	}
	return Step{makes: true, apply: func(d draw) time.Duration {
		return scale(first, math.Pow(factor, float64(d.n-1)))
	}}
}

// Decorrelated makes a random delay between first and three times the previous
// delay, so that it grows with the actual waits and not with the number of
// the retry. The first retry waits between first and three times first. The
// first delay must be positive.
//
// Follow it with a [Cap]; it needs no [Jitter]. It is the "decorrelated jitter" of
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
func Decorrelated(first time.Duration) Step {
	if first <= 0 {
		return broken("Decorrelated: the first delay must be positive, got %v", first)
	}
	return Step{makes: true, apply: func(d draw) time.Duration {
		return d.random.between(first, scale(max(d.prev, first), 3))
	}}
}
