package limit

import "time"

// Part returns a part of the quota: what one of several limiters may admit that keep the quota together.
// If their parts, n of each, never sum to more than [Quota.Most], they admit no more than one limiter of the
// whole would. n must be positive.
//
// A part may grow and shrink by [Quota.Replace]. It may lose what [Quota.Remaining] says of it, and nothing
// else; another part may then grow by as much. A part of a token bucket begins without tokens, and what it
// grows by has none.
func (q Quota) Part(n int) Quota {
	q.part = true
	if q.kind != isBucket {
		q.n = n
		return q
	}
	// So that n parts of one are the whole, each token takes as many times longer as there are of them.
	whole := float64(q.per) * float64(q.burst) / (float64(q.n) * float64(n))
	q.n, q.per, q.burst = 1, time.Duration(min(whole+1, float64(noTime/4))), n
	return q
}

// Span returns for how long a request counts that has arrived, at the most.
func (q Quota) Span() time.Duration {
	switch q.kind {
	case isCounter:
		return 2 * q.per
	case isBucket:
		return time.Duration(min(float64(q.per)/float64(q.n)*float64(q.burst), float64(noTime/4)))
	case isFixed:
		return q.per + time.Hour // a day may have 25 of them
	}
	return q.per
}

// Stretch returns the quota with k times its length. It does not follow the clock.
func (q Quota) Stretch(k int) Quota {
	if q.kind == isFixed {
		q.kind = isRolling
	}
	q.per = time.Duration(min(float64(q.per)*float64(k), float64(noTime/4)))
	return q
}
