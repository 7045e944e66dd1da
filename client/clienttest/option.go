package clienttest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// An Option says how a [Server] behaves: a [Limit], how limits show, a [Refusal],
// [Faults] and the like. Limits add up; of the others the last one counts.
type Option interface{ apply(c *config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// Handler answers the requests that the limits admitted with h. Without it they are
// answered 200 with a small JSON object.
func Handler(h http.Handler) Option { return optionFunc(func(c *config) { c.handler = h }) }

// Latency makes requests and responses each take from least to most on their way, so
// that they overtake each other.
func Latency(least, most time.Duration) Option {
	return optionFunc(func(c *config) {
		if least < 0 || most < least {
			c.failf("Latency(%v, %v): want 0 <= least <= most", least, most)
			return
		}
		c.latency = &[2]time.Duration{least, most}
	})
}

// config is what the options said.
type config struct {
	limits   []Limit
	dialect  apiserver.Dialect
	announce []func(http.Header, time.Time, []Window)
	refusal  Refusal
	faults   Faults
	handler  http.Handler
	latency  *[2]time.Duration
	errs     []error
}

func (c *config) failf(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

// describe returns the same for the server behind. It must be without errors.
func (c *config) describe(observe func(apiserver.Decision)) apiserver.Config {
	retryAfter := c.refusal.retryAfter()
	names := c.names()
	rules := make([]apiserver.Rule, len(c.limits))
	for i, l := range c.limits {
		rules[i] = apiserver.Rule{
			Match: l.match, Key: l.key, Cost: l.cost, Dialect: apiserver.Dialect{RetryAfter: retryAfter},
			Model: func(string) ratemodel.Model { return l.build(names[i]) },
		}
	}
	described := apiserver.Config{
		Rules: rules, Handler: c.faults.handler(c.handler), ClockOffset: c.faults.Skew, Observe: observe, Dialect: c.dialect,
	}
	if c.refusal.custom() {
		described.Refuse = c.refusal.write
	}
	if len(c.announce) > 0 {
		described.Announce = func(h http.Header, windows []ratemodel.Window, now time.Time) {
			shown := make([]Window, len(windows))
			for i, w := range windows {
				shown[i] = Window(w)
			}
			for _, f := range c.announce {
				f(h, now, shown)
			}
		}
	}
	return described
}

// names returns the names under which the limits show. A single one may have none.
func (c *config) names() []string {
	names, seen := make([]string, len(c.limits)), map[string]int{}
	for i, l := range c.limits {
		names[i] = l.name
		if l.name == "" && (len(c.limits) > 1 || c.dialect.Fields&apiserver.Suffixed != 0) {
			names[i] = periodName(l.per)
		}
		if seen[names[i]]++; seen[names[i]] > 1 {
			names[i] = fmt.Sprintf("%s-%d", names[i], seen[names[i]])
		}
	}
	return names
}

func periodName(d time.Duration) string {
	switch d {
	case time.Second:
		return "second"
	case time.Minute:
		return "minute"
	case time.Hour:
		return "hour"
	case 24 * time.Hour:
		return "day"
	}
	return d.String()
}
