package limit

// A Demand is what one request asks of its limits. The zero value is one request.
type Demand struct {
	// Requests is how many requests it counts for. 0 counts as 1.
	Requests int
	// Units is how much it spends of other units, such as {"tokens": 850}; nil for nothing. Limiters
	// must not change it.
	Units map[string]float64
	// Metered says that the caller will call [Settle] with what it spent of units that Units lacks.
	Metered bool
	// Tag is the caller's own. The limiters of this package do not look at it.
	Tag any
}

// Count returns how many requests d counts for, at least 1.
func (d Demand) Count() int { return max(d.Requests, 1) }
