package contention

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A replicas recognises a name behind which several servers count apart: what is left jumps
// up and down from response to response. How many they are is told by how much less each of
// them has counted than we sent. Any of the servers may get the next request, so that what all
// of them have left is spent as if it were in one place, although some requests then come to one that
// has nothing left. While their number is not known, the one that has the least left decides.
type replicas struct {
	least  [replicasSeen]int64 // what the last responses allow, as numbers of requests
	recent [replicasMost]int64 // what the last responses said is left
	next   int                 // response
	until  clock.Instant

	sent, counted float64 // by us, and by the servers that responded, both summed over responses
}

const (
	// replicasSeen is how many answers in a row may all come from other servers than the
	// one that has the least left.
	replicasSeen = 5
	// replicasMost is how many servers are told apart.
	replicasMost = 16
	// replicasSure is how many responses tell how many servers there are, and replicasFew is
	// fewer than there are.
	replicasSure = 32
	replicasFew  = 1.5
)

// observe takes in a response, after the newest one said that so many are left, and so many requests of
// this window were sent before it.
func (s *replicas) observe(r *Response, left, own int64) {
	if r.Remaining > left+r.Sent-r.Before {
		s.until = r.Now + 2*max(r.Length, clock.Second)
	}
	if 4*r.Remaining < 3*r.Limit { // enough to tell
		s.sent, s.counted = s.sent+float64(own), s.counted+float64(r.Limit-r.Remaining)
		if s.counted > replicasSure*float64(r.Limit) {
			s.sent, s.counted = s.sent/2, s.counted/2
		}
	}
	s.note(r.Number+r.Remaining, r.Remaining)
}

func (s *replicas) note(bound, remaining int64) {
	s.least[s.next%replicasSeen] = bound
	s.recent[s.next%replicasMost] = remaining
	s.next++
}

// number returns how many servers there are, or 1 where that is not known.
func (s *replicas) number(limit int64) float64 {
	if 4*s.counted < replicasSure*float64(limit) || s.sent < replicasFew*s.counted {
		return 1
	}
	return min(s.sent/s.counted, replicasMost)
}

// budget returns up to which number requests may go, after the newest that was answered.
func (s *replicas) budget(newest, limit int64) int64 {
	n := s.number(limit)
	if n == 1 {
		least := s.least[0]
		for _, b := range s.least[1:] {
			least = min(least, b)
		}
		return least
	}
	sum := int64(0)
	for _, left := range s.recent {
		sum += left
	}
	return newest + int64(n*float64(sum)/replicasMost)
}

// begin starts over with a new window.
func (s *replicas) begin(r *Response) {
	for range replicasMost {
		s.note(r.Number+r.Remaining, r.Remaining)
	}
}

// Replicas reports whether several servers seem to count apart.
func (s *Estimator) Replicas(now clock.Instant) bool { return now < s.replicas.until }

// ReplicasBudget returns up to which number requests may go if they do.
func (s *Estimator) ReplicasBudget(limit int64) int64 { return s.replicas.budget(s.newest, limit) }

// ReplicasNumber returns how many they are, or 1 where that is not known.
func (s *Estimator) ReplicasNumber(limit int64) float64 { return s.replicas.number(limit) }
