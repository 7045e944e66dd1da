package limit

import "time"

// A reserve holds the most that requests in flight may cost, where they say it: servers may
// take so much of a quota before they answer, and give back the rest. Most requests use far
// less, so that is not held until a refusal proves it.
type reserve struct {
	sum    int  // of the requests in flight that say it
	n      int  // how many those are
	proven bool // the server takes it
	served int  // requests since that were not refused
	again  int  // after how many of those to try without
}

// bound returns the most that a request may cost. Three bytes of a prompt are at least a token.
func (q *Quota) bound(d Demand) (n int, ok bool) {
	most, ok := d.Estimate.Most[q.unit]
	if !ok || !(most >= 0) { // not a number
		return 0, false
	}
	return int(min(most+float64(d.Estimate.Bytes)/3, float64(q.Most()))), true
}

func (r *reserve) add(q *Quota, d Demand) {
	if n, ok := q.bound(d); ok {
		r.sum, r.n = r.sum+n, r.n+1
	}
}

func (r *reserve) drop(q *Quota, d Demand) {
	if n, ok := q.bound(d); ok && r.n > 0 {
		r.sum, r.n = max(0, r.sum-n), r.n-1
	}
}

// refused takes in that the server refused a request, which proves that it takes the most that requests may
// cost if that was not left, and what they do cost was.
func (l *unitLimiter) refused(now time.Time) {
	r := &l.most
	left := l.inner.Ask(now, Demand{Requests: min(l.known+r.sum, l.q.Most())})
	if r.proven || r.n == 0 || l.known+r.sum <= l.q.Most() && left.Admits(now) {
		return
	}
	r.proven, r.served, r.again = true, 0, min(max(2*r.again, 128), 1<<20)
}

// serve takes in that a request was served. If all of them are for long, what was proven is tried again.
func (r *reserve) serve() {
	if r.served++; r.proven && r.served >= r.again {
		r.proven = false
	}
}
