package limit

import "time"

// A Demand is what one request asks of its limits. The zero value is one request.
type Demand struct {
	// Requests is how many requests it counts for. 0 counts as 1.
	Requests int
	// Units is how much it spends of other units, such as {"tokens": 850}; nil for nothing. Limiters
	// must not change it.
	Units map[string]float64
	// Estimate is what is known of its cost where Units does not say it.
	Estimate Estimate
	// Metered says that the caller will call [Limiter.Settle] with what it spent of units that Units lacks.
	Metered bool
	// Waited is how long the request has waited, and Left how much longer it can wait: 0 means without
	// bound, and a negative Left not at all. See [Decision.Relax].
	Waited, Left time.Duration
	// Priority is how urgent the request is among those that wait, the higher the more. The limiters of
	// this package do not look at it.
	Priority int
	// Tag is the caller's own. The limiters of this package do not look at it.
	Tag any
}

// Count returns how many requests d counts for, at least 1.
func (d Demand) Count() int { return max(d.Requests, 1) }

// Plain reports whether d is one request of which nothing else is known.
func (d Demand) Plain() bool {
	return d.Requests <= 1 && len(d.Units) == 0 && d.Estimate.Bytes == 0 && len(d.Estimate.Most) == 0
}

// An Estimate is what a request says of its cost before it is sent. The zero value says nothing.
type Estimate struct {
	// Bytes is the size of what is charged by its length, such as a prompt.
	Bytes int64
	// Most is the most that may be charged beside that, by unit. Limiters must not change it.
	Most map[string]float64
}
