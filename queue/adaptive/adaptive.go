// Package adaptive bounds how many requests are under way to a host by how fast it answers,
// for servers that slow down when too much is asked of them and never say 429.
//
//	hc, err := client.New(client.WithQueue(adaptive.WithConcurrency(adaptive.Config{})))
//
// The bound rises while the time to the first byte of responses stays what it is under
// little load, and falls when that time grows, as TCP Vegas and Netflix's gradient limits
// do. Requests beyond it wait in the queue, where they have an order and can give up,
// instead of in the server. It is of no use, and costs throughput, where how long a
// response takes says nothing about load: long polls, or calls of very different kinds.
package adaptive

import (
	"fmt"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Name is the name of the limit in errors and events.
const Name = "adaptive concurrency"

// A Config sets the bounds of a limit. The zero value is a good one.
type Config struct {
	// Initial is how many requests may be under way before anything is known. 0 is 8.
	Initial int
	// Min and Max bound the limit. 0 is 2 and 1000.
	Min, Max int
	// Tolerance is how many times as long as under little load responses may take before
	// the limit falls. 0 is 1.5.
	Tolerance float64
	// PerKey gives each key of a host a limit of its own. Otherwise all share one.
	PerKey bool
}

// WithConcurrency returns an option that limits the requests under way to each host by how
// fast it answers. A Config that makes no sense is an error of the constructor.
func WithConcurrency(c Config) queue.Option {
	return func(q *queue.Queue) error {
		if err := c.complete(); err != nil {
			return err
		}
		r := queue.Rule{Name: Name, Scope: queue.PerHost, New: func() limit.Limiter { return newLimiter(&c) }}
		if c.PerKey {
			r.Scope = queue.PerKey
		}
		return queue.WithRule(r)(q)
	}
}

// New returns a limiter for other uses than those of [WithConcurrency].
func New(c Config) (limit.Limiter, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	return newLimiter(&c), nil
}

// complete sets the defaults and checks the rest.
func (c *Config) complete() error {
	if c.Min == 0 {
		c.Min = 2
	}
	if c.Max == 0 {
		c.Max = max(1000, c.Min)
	}
	if c.Initial == 0 {
		c.Initial = min(max(8, c.Min), c.Max)
	}
	if c.Tolerance == 0 {
		c.Tolerance = 1.5
	}
	switch {
	case c.Min < 1 || c.Min > c.Initial || c.Initial > c.Max || c.Max > 1<<20:
		return fmt.Errorf("adaptive: limits must have 1 <= Min <= Initial <= Max <= %d, got %d, %d and %d", 1<<20, c.Min, c.Initial, c.Max)
	case !(c.Tolerance >= 1 && c.Tolerance <= 100): // NaN is neither
		return fmt.Errorf("adaptive: Tolerance must be from 1 to 100, got %v", c.Tolerance)
	}
	return nil
}
