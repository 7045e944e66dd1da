package peer

import (
	"net/http"
	"time"
)

// workerTransport is the worker of a guide: it sends the requests one after the other
// and sleeps after each. The turn is what the worker is here.
type workerTransport struct {
	base  http.RoundTripper
	delay time.Duration
	turn  chan struct{}
}

func newWorker(s Setting) (http.RoundTripper, error) {
	return &workerTransport{base: s.Base, delay: s.Rate.Interval(), turn: make(chan struct{}, 1)}, nil
}

func (t *workerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	select {
	case t.turn <- struct{}{}:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	defer time.AfterFunc(t.delay, func() { <-t.turn })
	return t.base.RoundTrip(req)
}
