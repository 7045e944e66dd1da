package throttle

import "github.com/forbear-go/forbear/throttle/internal/refusals"

// A Reservation is the record of one request. [Limiter.Take] returns it when the request
// is sent; the caller passes it back with the response.
type Reservation struct {
	// Streamed says that the response began before it was complete, and Metered that
	// [Limiter.Settle] is called once its body was read. Both are set before the response is
	// observed.
	Streamed, Metered bool
	// Uneven says that requests cost the server very different amounts, so that how many it
	// serves in a second or two says little. It is set before a refusal is observed.
	Uneven bool

	number, cost int64           // its number is the last of those that it takes
	answered     int64           // how many had been answered when it was sent
	holds        *holds          // of windows that count something else than requests; nil is none
	at           instant         // when it was sent
	burst        *refusals.Burst // that it was sent in; nil if those are not followed
	tests        uint64          // marks of the windows that would have stopped it
}

// request returns what has to be known of a request to learn from a refusal.
func (t *Reservation) request() refusals.Request {
	return refusals.Request{Number: t.number, Cost: t.cost, At: t.at, Burst: t.burst}
}
