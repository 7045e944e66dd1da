package observe

import (
	"net/http"
	"net/url"
	"sync"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle/header"
)

// A Recorder keeps the last events in memory, and counts all events. Create it with
// [NewRecorder].
type Recorder struct {
	mu     sync.Mutex
	events []client.Event // a ring once it is full
	next   int            // index of the oldest event once it is full
	room   int
	counts map[client.EventKind]int
}

// NewRecorder returns a recorder that keeps the last n events, or one if n is less than 1.
// An event takes about half a kilobyte.
func NewRecorder(n int) *Recorder {
	return &Recorder{room: max(n, 1), counts: make(map[client.EventKind]int)}
}

// Record records an event; pass it to [client.WithObserver]. It keeps only the method,
// scheme, host and path of the request.
func (r *Recorder) Record(e client.Event) {
	e.Request = bare(e.Request)
	told := make([]header.Window, len(e.Told))
	for i, w := range e.Told {
		told[i] = w.Clone()
	}
	e.Told = told
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[e.Kind]++
	if len(r.events) < r.room {
		r.events = append(r.events, e)
		return
	}
	r.events[r.next] = e
	r.next = (r.next + 1) % r.room
}

// bare returns a copy of a request without the parts that may hold a credential.
func bare(req *http.Request) *http.Request {
	if req == nil {
		return nil
	}
	u := &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: req.URL.Path}
	return &http.Request{Method: req.Method, URL: u}
}

// Events returns the recorded events, oldest first.
func (r *Recorder) Events() []client.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]client.Event(nil), r.events[r.next:]...), r.events[:r.next]...)
}

// Count returns how many events of a kind there were, including those that are no
// longer kept.
func (r *Recorder) Count(kind client.EventKind) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[kind]
}
