package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// inFlight bounds the requests in flight. The queue returns a request's place when its permit is released,
// which may be later than Done.
type inFlight struct {
	limit.NoHooks

	max, now int
	name     string
}

func (b *inFlight) Ask(time.Time, limit.Demand) limit.Decision {
	if b.now < b.max {
		return limit.Decision{}
	}
	return limit.Decision{Limit: b.name, Unknown: true}
}

func (b *inFlight) Take(time.Time, limit.Demand) { b.now++ }

func (b *inFlight) Forecast(time.Time, int, limit.Demand) limit.Decision {
	return limit.Decision{Limit: b.name}
}

// Idle reports whether no request is in flight.
func (b *inFlight) Idle(time.Time) bool { return b.now == 0 }

// flight is the limiter's limit, if it counts requests in flight.
func (g *limiter) flight() *inFlight {
	b, _ := g.limit.(*inFlight)
	return b
}
