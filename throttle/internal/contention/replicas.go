package contention

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A replicas recognises a name behind which several servers count apart: what is left jumps
// up and down from response to response. Any of the servers may get the next request, so that
// the one that has the least left decides.
type replicas struct {
	bounds [replicasSeen]int64 // what the last answers allow, as numbers of requests
	next   int
	until  clock.Instant
}

// replicasSeen is how many answers in a row may all come from other servers than the
// one that has the least left.
const replicasSeen = 5

// observe takes in a response, after the newest one said that so many are left.
func (s *replicas) observe(r *Response, left int64) {
	if r.Remaining > left+r.Sent-r.Before {
		s.until = r.Now + 2*max(r.Length, clock.Second)
	}
	s.bounds[s.next] = r.Number + r.Remaining
	s.next = (s.next + 1) % replicasSeen
}

// budget returns up to which number requests may go.
func (s *replicas) budget() int64 {
	least := s.bounds[0]
	for _, b := range s.bounds[1:] {
		least = min(least, b)
	}
	return least
}

// begin starts over with a new window.
func (s *replicas) begin(bound int64) {
	for i := range s.bounds {
		s.bounds[i] = bound
	}
}

// Replicas reports whether several servers seem to count apart.
func (s *Estimator) Replicas(now clock.Instant) bool { return now < s.replicas.until }

// ReplicasBudget returns up to which number requests may go if they do.
func (s *Estimator) ReplicasBudget() int64 { return s.replicas.budget() }
