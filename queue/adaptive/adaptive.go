// Package adaptive bounds the requests in flight to a host by how fast the host responds. It
// is for servers that slow down under load and never answer 429.
//
//	hc, err := client.New(client.WithQueue(adaptive.WithConcurrency(adaptive.Config{})))
//
// The bound rises while the time to the first byte of responses stays as it is under light
// load, and falls when that time grows, as with TCP Vegas and Netflix's gradient limits.
// Requests beyond the bound wait in the queue, where they have an order and can give up,
// instead of in the server. The package does not help, and costs throughput, if response
// times say nothing about load: with long polls, or very different calls.
package adaptive

import (
	"fmt"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Name is the name of the limit in errors and events.
const Name = "adaptive concurrency"

// A Config configures a limit. The zero Config selects the defaults.
type Config struct {
	// Initial is how many requests may be in flight at first. 0 means 8.
	Initial int
	// Min and Max bound the limit. 0 means 2 and 1000, respectively.
	Min, Max int
	// Tolerance is how many times as long as under light load responses may take before
	// the limit falls. 0 means 1.5.
	Tolerance float64
	// PerKey gives each key a limit of its own. Otherwise all requests to a host share one.
	PerKey bool
}

// WithConcurrency returns an option that limits the requests in flight to each host by how
// fast the host responds. The constructor of the queue returns an error if c is invalid.
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

// New returns a limiter to use without [WithConcurrency]. It returns an error if c is invalid.
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
