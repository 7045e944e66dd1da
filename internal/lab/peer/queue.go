package peer

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// queueTransport is the request queue of a guide that is written in JavaScript: each
// call of process starts one request at the most, and each that finds the window
// used up sets a timer of its own.
type queueTransport struct {
	base   http.RoundTripper
	window Rate

	mu         sync.Mutex // guards the fields below
	queue      []chan struct{}
	processing int
	sent       []time.Time
}

const mostConcurrent = 10

func newQueue(s Setting) (http.RoundTripper, error) {
	return &queueTransport{base: s.Base, window: s.Window}, nil
}

// RoundTrip sends a request through the queue, and once more if it is refused, after
// the time that the guide's other function waits.
func (t *queueTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.send(req)
	if err != nil || resp.StatusCode != http.StatusTooManyRequests {
		return resp, err
	}
	wait := time.Minute
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		wait = time.Duration(seconds) * time.Second
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err := sleep(req.Context(), wait); err != nil {
		return nil, err
	}
	return t.send(req)
}

func (t *queueTransport) send(req *http.Request) (*http.Response, error) {
	start := make(chan struct{})
	t.mu.Lock()
	t.queue = append(t.queue, start)
	t.process()
	t.mu.Unlock()
	select {
	case <-start:
	case <-req.Context().Done():
		t.leave(start)
		return nil, req.Context().Err()
	}
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.processing--
		t.process()
	}()
	return t.base.RoundTrip(req)
}

// process starts the next request if it may go. The lock is held.
func (t *queueTransport) process() {
	if t.processing >= mostConcurrent || len(t.queue) == 0 {
		return
	}
	now := time.Now()
	t.sent = slices.DeleteFunc(t.sent, func(s time.Time) bool { return now.Sub(s) >= t.window.Per })
	if len(t.sent) >= t.window.Limit {
		time.AfterFunc(t.window.Per-now.Sub(t.sent[0])+100*time.Millisecond, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.process()
		})
		return
	}
	t.processing++
	t.sent = append(t.sent, now)
	close(t.queue[0])
	t.queue = t.queue[1:]
}

// leave takes a request out of the queue whose caller has gone.
func (t *queueTransport) leave(start chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.queue, start); i >= 0 {
		t.queue = slices.Delete(t.queue, i, i+1)
		return
	}
	t.processing-- // it was started at the same moment
	t.process()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
