package client

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/limit"
)

// streams reports whether the server may still be at work on a response that was received.
func (a *attempt) streams() bool { return !a.reading.Refused && a.body }

// follow tells the limiter when the body of a response is over, if it has to know.
func (a *attempt) follow(t *Transport, resp *http.Response) {
	if !a.follows {
		return
	}
	key, part, reservation := a.Request.Key, a.part, a.ticket
	resp.Body = cost.Watch(resp.Body, nil, func() {
		t.queue.Update(key, func(now time.Time, _ limit.Limiter) { part.EndBody(now, reservation) })
	})
}
