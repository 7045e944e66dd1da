package throttle

// A replicas recognises a name behind which several servers count apart: what one
// tells is left jumps up and down from answer to answer. Any of them may get the
// next request, so that the one which has the least left decides.
type replicas struct {
	bounds [nodesSeen]int64 // what the last answers allow, as numbers of requests
	next   int
	until  instant
}

// nodesSeen is how many answers in a row may all come from other servers than the
// one that has the least left.
const nodesSeen = 5

// observe takes in that the answer to t told what is left, after that to the request
// newest told of left.
func (s *replicas) observe(w *window, k *Limiter, now instant, t *Reservation, remaining, left int64) {
	if remaining > left+k.sent-t.answered {
		s.until = now + 2*max(w.length.Value, second)
	}
	s.bounds[s.next] = t.number + remaining
	s.next = (s.next + 1) % nodesSeen
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
