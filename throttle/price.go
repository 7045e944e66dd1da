package throttle

import "slices"

// A price is how much of a limit one request costs, where the limit does not count
// requests but tokens, points, bytes: as much as what is left falls by for each of ours.
// That what is left falls by more than one a request is no sign of others then.
type price struct {
	counts  bool    // requests, so that there is nothing to estimate
	mean    float64 // of what was seen; 0 is nothing yet
	newest  int64   // the newest request whose answer was heard
	left    int64   // what that one told
	heard   instant
	started bool
}

// priceSmooth is how many requests the mean price goes back.
const priceSmooth = 16

// concurrentUnit is the unit of limits on the requests under way.
const concurrentUnit = "concurrent-requests"

// unitsOfRequests are the units in which a limit counts requests, or parts of itself.
var unitsOfRequests = []string{"", "requests", concurrentUnit, "fraction", "percent"}

func countsRequests(unit string) bool { return slices.Contains(unitsOfRequests, unit) }

// observeRemaining takes in what the answer to t says is left. regained is what came back since the
// newest answer before.
func (p *price) observeRemaining(t *Reservation, remaining int64, regained func(since instant) int64, now instant) {
	if p.started && t.number <= p.newest {
		return
	}
	if p.started {
		fall, own := p.left+regained(p.heard)-remaining, t.number-p.newest
		if fall > 0 {
			p.observe(float64(fall) / float64(own))
		}
	}
	p.started, p.newest, p.left, p.heard = true, t.number, remaining, now
}

func (p *price) observe(each float64) {
	if p.mean == 0 {
		p.mean = each
		return
	}
	p.mean += (each - p.mean) / priceSmooth
}

// of returns what n requests cost.
func (p *price) of(n int64) int64 {
	if p.counts || p.mean == 0 {
		return n
	}
	return int64(max(p.mean, 1)*float64(n) + 0.5)
}

// buys returns how many requests an amount is enough for.
func (p *price) buys(amount int64) int64 {
	if p.counts || p.mean == 0 {
		return amount
	}
	return int64(float64(amount) / max(p.mean, 1))
}
