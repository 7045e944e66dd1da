package contention

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A replicas recognises a name behind which several servers count apart: what is left jumps
// up and down from response to response. How many they are is told by how much less each of
// them has counted than we sent. Any of the servers may get the next request, so that what all
// of them have left is spent as if it were in one place, although some requests then come to one that
// has nothing left. While their number is not known, the one that has the least left decides.
type replicas struct {
	recent [replicasMost]told // by the last responses
	next   int                // of them
	until  clock.Instant
	jumps  int // up, until then,
	falls  int // and down, by more than what we sent; what is refilled only rises

	sent, counted float64 // by us, and by the servers that responded, both summed over responses
}

// A told is what the response to a request said is left.
type told struct{ number, left int64 }

const (
	// replicasSeen is how many answers in a row may all come from other servers than the
	// one that has the least left.
	replicasSeen = 5
	// replicasMost is how many servers are told apart.
	replicasMost = 16
	// replicasEmpty is how many of the last replicasMost responses may say that nothing is left.
	replicasEmpty = 8
	// replicasJumps are too many for a server that forgot what it had counted.
	replicasJumps = 8
	// replicasSure is how many responses tell how many servers there are, and replicasFew is
	// fewer than there are.
	replicasSure = 32
	replicasFew  = 1.5
)

// observe takes in a response, after the newest one said that so many are left, and so many requests of
// this window were sent before it.
func (s *replicas) observe(r *Response, left, newest, own int64) {
	if rose(r, left) {
		if s.jumps++; r.Now >= s.until {
			s.jumps, s.falls = 1, 0
		}
		lasts := 2 * max(r.Length, clock.Second)
		if s.jumps >= replicasJumps {
			lasts *= 8
		}
		s.until = max(s.until, r.Now+lasts)
	}
	if left-r.Remaining > r.Sent-r.Before+r.Number-newest {
		s.falls++
	}
	if 4*r.Remaining < 3*r.Limit { // enough to tell
		s.sent, s.counted = s.sent+float64(own), s.counted+float64(r.Limit-r.Remaining)
		if s.counted > replicasSure*float64(r.Limit) {
			s.sent, s.counted = s.sent/2, s.counted/2
		}
	}
	s.note(r)
}

// rose reports whether more is left than what is explained by responses that overtake each other.
func rose(r *Response, left int64) bool { return r.Remaining > left+r.Sent-r.Before }

// opened reports whether a window that may have opened did: that explains why more is left, unless several
// servers seem to count apart. One of which no response tells when it opens may have, if as much is left as then.
func (s *replicas) opened(r *Response, left int64) bool {
	return (r.Opened || r.fresh()) && rose(r, left) && r.Now >= s.until
}

// fresh reports whether no more is gone of a window without a reset than what may be counted if it has just opened.
func (r *Response) fresh() bool {
	return !r.ResetKnown && r.LengthSure && r.Remaining >= r.Limit-(r.Sent-r.Before)
}

func (s *replicas) note(r *Response) {
	s.recent[s.next] = told{r.Number, r.Remaining}
	s.next = (s.next + 1) % replicasMost
}

// number returns how many servers there are, or 1 where that is not known.
func (s *replicas) number(limit int64) float64 {
	if min(s.jumps, s.falls) < replicasJumps || 4*s.counted < replicasSure*float64(limit) || s.sent < replicasFew*s.counted {
		return 1
	}
	return min(s.sent/s.counted, replicasMost)
}

// budget returns up to which number requests may go.
func (s *replicas) budget(limit int64) int64 {
	n := s.number(limit)
	if n == 1 {
		return s.least()
	}
	sum, empty := 0.0, 0
	for _, t := range s.recent {
		if sum += float64(t.number) + n*float64(t.left); t.left == 0 {
			empty++
		}
	}
	if empty > replicasEmpty {
		return s.least()
	}
	return int64(sum / replicasMost)
}

// least returns what the one of the last servers allows that has the least left.
func (s *replicas) least() int64 {
	least := int64(math.MaxInt64)
	for i := range replicasSeen {
		t := s.recent[(s.next-1-i+replicasMost)%replicasMost]
		least = min(least, t.number+t.left)
	}
	return least
}

// begin starts over with a new window.
func (s *replicas) begin(r *Response) {
	for range replicasMost {
		s.note(r)
	}
}

// Replicas reports whether several servers seem to count apart.
func (s *Estimator) Replicas(now clock.Instant) bool { return now < s.replicas.until }

// ReplicasSeen reports whether that was seen often, and what is left fell by more than what we sent.
func (s *Estimator) ReplicasSeen(now clock.Instant) bool {
	return s.Replicas(now) && s.replicas.jumps >= replicasJumps && s.replicas.falls > 0
}

// ReplicasBudget returns up to which number requests may go if they do.
func (s *Estimator) ReplicasBudget(limit int64) int64 { return s.replicas.budget(limit) }

// ReplicasNumber returns how many they are, or 1 where that is not known.
func (s *Estimator) ReplicasNumber(limit int64) float64 { return s.replicas.number(limit) }
