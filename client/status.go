package client

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
)

// A Status is what is believed of the quota that a request would spend.
type Status struct {
	// Status is of the limits that the request obeys: their windows, what is left, on
	// what grounds and how sure.
	throttle.Status
	// Start is when the request would go if it came now, as far as is known; Ahead is
	// how many are waiting before it, and Limit is what they wait for.
	Start time.Time
	Ahead int
	Limit string
}

// Status returns what is believed of the quota that req would spend if it were sent
// now. It sends nothing and spends nothing. The error is that of the line: it is
// closed, or the request costs more than a limit ever allows.
func (t *Transport) Status(req *http.Request) (Status, error) {
	c := callOf(req.Context())
	a := &attempt{}
	a.prepare(t, req, t.account(req, &c), &c, false)
	place, err := t.line.Peek(&a.Request)
	s := Status{Start: place.Start, Ahead: place.Ahead, Limit: place.Limit}
	t.line.Update(a.Key, func(now time.Time, own queue.Limit) {
		s.Status = own.(*learned).of(now, a).Status(now)
	})
	return s, err
}
