package backoff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// A Policy decides how long to wait before a retry. [New] builds a Policy from steps;
// other implementations are welcome.
//
// A Policy holds no state of a single request, so that one value serves all requests.
// It must be safe for concurrent use.
type Policy interface {
	// Delay returns the wait before retry n, counted from 1; a smaller n means
	// 1. prev is the wait before the previous retry, or 0 if n is 1; only policies
	// such as [Decorrelated] use it. The result is never negative.
	Delay(n int, prev time.Duration) time.Duration
}

// A Step is one part of a [Policy]: it makes a delay, or changes the delay made by
// the steps before it. The zero Step is invalid.
type Step struct {
	err   error // the reason why New must reject the step
	makes bool  // whether the step ignores the delay made before it
	apply func(d draw) time.Duration
}

// draw is what a step computes a delay from.
type draw struct {
	n      int           // the number of the retry, at least 1
	prev   time.Duration // the wait before the previous retry
	delay  time.Duration // what the steps before have made
	random source
}

// source returns a uniform random number in [0, n), for n above 0.
type source func(n uint64) uint64

// New returns a policy that applies the steps in the given order. For example,
// exponential backoff from 500 ms with factor 2, capped at 30 s, with equal jitter is
//
//	backoff.New(
//		backoff.Exponential(500*time.Millisecond, 2),
//		backoff.Cap(30*time.Second),
//		backoff.Jitter(0.5, 1))
//
// The order matters: jitter after a cap still spreads the callers that have reached
// the cap, whereas a cap after jitter that lengthens the delay lets them retry together
// again.
//
// The first step must make a delay ([Constant], [Linear], [Exponential],
// [Decorrelated]), the others must change it ([Cap], [Jitter]). Anything else,
// and any step with a bad parameter, is an error that matches [ErrInvalid].
//
// Delays do not overflow: a delay that would exceed the largest [time.Duration]
// becomes that largest one.
func New(first Step, then ...Step) (Policy, error) {
	return newPolicy(rand.Uint64N, append([]Step{first}, then...))
}

func newPolicy(random source, steps []Step) (*policy, error) {
	for i, s := range steps {
		switch {
		case s.err != nil:
			return nil, s.err
		case s.apply == nil:
			return nil, invalid("step %d of the policy is the zero Step", i+1)
		case i == 0 && !s.makes:
			return nil, invalid("the first step of a policy must be Constant, Linear, Exponential or Decorrelated")
		case i > 0 && s.makes:
			return nil, invalid("step %d of the policy discards the delay made before it", i+1)
		}
	}
	return &policy{steps: steps, random: random}, nil
}

// policy is immutable after newPolicy.
type policy struct {
	steps  []Step
	random source
}

// Delay implements [Policy].
func (p *policy) Delay(n int, prev time.Duration) time.Duration {
	d := draw{n: max(n, 1), prev: prev, random: p.random}
	for i := range p.steps {
		d.delay = p.steps[i].apply(d)
	}
	return d.delay
}

// between returns a uniform random duration from lo to hi, both included. It
// needs 0 <= lo <= hi.
func (r source) between(lo, hi time.Duration) time.Duration {
	// The sum cannot overflow: it is at most hi.
	return lo + time.Duration(r(uint64(hi-lo)+1))
}

// scale returns d times factor, or the largest duration where that is less. It
// needs d >= 0 and factor >= 0, and d > 0 if factor may be infinite.
func scale(d time.Duration, factor float64) time.Duration {
	if factor == 1 {
		return d // a float would round a delay of more than 104 days
	}
	product := float64(d) * factor
	if product >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(product)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("backoff: %w: "+format, append([]any{ErrInvalid}, args...)...)
}

func broken(format string, args ...any) Step {
	return Step{err: invalid(format, args...)}
}
