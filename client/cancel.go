package client

import (
	"context"
	"net/http"
	"sync"
)

// A cancelable is the context of a request whose Cancel channel ends it too, as it does
// with those of http.Transport. It costs a goroutine only while the request waits.
type cancelable struct {
	context.Context
	cancel <-chan struct{} // of the request

	start sync.Once
	done  chan struct{}
	over  chan struct{} // closed when the request is
}

// waitContext returns the context with which a request waits, and what to call when it is
// over; that is nil if there is nothing to do.
func waitContext(req *http.Request) (ctx context.Context, over func()) {
	//nolint:staticcheck // http.Client sets it for its timeout, and programs still do
	if req.Cancel == nil {
		return req.Context(), nil
	}
	c := &cancelable{Context: req.Context(), cancel: req.Cancel, over: make(chan struct{})}
	return c, func() { close(c.over) }
}

// Done implements context.Context.
func (c *cancelable) Done() <-chan struct{} {
	c.start.Do(func() {
		c.done = make(chan struct{})
		go func() {
			select {
			case <-c.Context.Done():
			case <-c.cancel:
			case <-c.over:
				return
			}
			close(c.done)
		}()
	})
	return c.done
}

// Err implements context.Context.
func (c *cancelable) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	select {
	case <-c.cancel:
		return context.Canceled
	default:
		return nil
	}
}
