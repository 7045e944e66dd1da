package throttle

import (
	"math"
	"time"

	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Demand is what one request asks of the limits of a key. The zero value is one request of
// which nothing else is known.
type Demand struct {
	// Requests is how many requests it counts for. 0 counts as 1.
	Requests int
	// Cost is what it surely spends of other units than requests, nil if that is not known.
	Cost cost.Units
	// Estimate is what its body says of its cost.
	Estimate cost.Estimate
}

// AskFor is Ask for a request of which more is known than how many requests it counts for. A
// Cost that a window never allows has a limit.Decision with a Max.
func (k *Limiter) AskFor(now time.Time, d *Demand) limit.Decision {
	d = k.meant(d)
	k.asked = d
	defer func() { k.asked = nil }()
	if len(d.Cost) > 0 {
		for i := range k.windows {
			if w := &k.windows[i]; w.units != nil && w.units.never(w, d) {
				return limit.Decision{Limit: w.name, Max: int(w.limit - w.reserve), Cost: int(min(math.Ceil(w.units.asks(d).Cost), 1<<52))}
			}
		}
	}
	return k.Ask(now, d.Requests)
}

// TakeFor is Take for such a request. Its costs count until the response is observed; to count
// them until its body was read, set [Reservation.Metered] before, and call [Limiter.Settle] then.
func (k *Limiter) TakeFor(now time.Time, d *Demand) Reservation {
	d = k.meant(d)
	k.asked = d
	defer func() { k.asked = nil }()
	t := k.Take(now, d.Requests)
	if t.holds == nil {
		t.holds = new(holds)
	}
	t.holds.demand = *d
	return t
}

// meant returns what a demand means. A number of requests above what a window of requests ever
// allows cannot mean requests if other windows count tokens or points: it is one request, which
// costs so many of those.
func (k *Limiter) meant(d *Demand) *Demand {
	n := units(d.Requests)
	if n == 1 || len(d.Cost) > 0 || k.tooSmall(n) == nil {
		return d
	}
	of := make(cost.Units)
	for i := range k.windows {
		if u := k.windows[i].units; u != nil {
			of[u.unit] = float64(n)
		}
	}
	if len(of) == 0 {
		return d
	}
	return &Demand{Cost: of, Estimate: d.Estimate}
}

// Settle takes in that the body of a response was read to its end, or closed, and what the
// response says that the request cost: nil if it does not say. A reservation is settled once.
func (k *Limiter) Settle(now time.Time, t Reservation, used cost.Units) {
	if t.holds == nil {
		return
	}
	for _, h := range t.holds.of {
		h.units.settle(now, h.Hold, used)
	}
	t.holds.of = nil
}
