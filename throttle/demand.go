package throttle

import (
	"math"
	"time"

	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/limit"
)

// AskFor is Ask for a request of which more may be known than how many requests it counts for. If
// a window never allows its Units, the decision has a Max.
func (k *Limiter) AskFor(now time.Time, d limit.Demand) limit.Decision {
	if d.Plain() {
		return k.Ask(now, 1)
	}
	asks := k.meant(d)
	k.asked = &asks
	defer func() { k.asked = nil }()
	if len(asks.Units) > 0 {
		for i := range k.windows {
			if w := &k.windows[i]; w.units != nil && w.units.never(w, asks) {
				return limit.Decision{Limit: w.name, Max: int(w.limit - w.reserve), Cost: int(min(math.Ceil(w.units.asks(asks).Cost), 1<<52))}
			}
		}
	}
	return k.Ask(now, asks.Requests)
}

// TakeFor is Take for such a request. Its costs count until the response is observed; to count
// them until its body was read, set [Reservation.Metered] before, and call [Limiter.Settle] then.
func (k *Limiter) TakeFor(now time.Time, d limit.Demand) Reservation {
	if d.Plain() {
		return k.Take(now, 1)
	}
	asks := k.meant(d)
	asks.Tag = nil // it is the caller's, and may be used for another request
	k.asked = &asks
	defer func() { k.asked = nil }()
	t := k.Take(now, asks.Requests)
	if t.holds == nil {
		t.holds = new(holds)
	}
	t.holds.demand = asks
	return t
}

// demand returns what the request asks for that is asked about or sent, as far as it is known.
func (k *Limiter) demand() limit.Demand {
	if k.asked == nil {
		return limit.Demand{}
	}
	return *k.asked
}

// meant returns what a demand means. A number of requests above what a window of requests ever
// allows cannot mean requests if other windows count tokens or points: it is one request, which
// costs so many of those.
func (k *Limiter) meant(d limit.Demand) limit.Demand {
	n := units(d.Requests)
	if n == 1 || len(d.Units) > 0 || k.tooSmall(n) == nil {
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
	return limit.Demand{Units: of, Estimate: d.Estimate}
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
