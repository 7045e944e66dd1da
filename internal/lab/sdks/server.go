package sdks

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A server plays an API: it has a limit for each kind of request, and says of it what
// the API would.
type server struct {
	// kind tells requests apart that have limits of their own.
	kind func(*http.Request) string
	// model makes the limiter of a kind.
	model func(kind string) ratemodel.Model
	// say writes what every answer tells of the limit. Nil says nothing.
	say func(h http.Header, kind string, w ratemodel.Window, now time.Time)
	// refuse answers a request that must be repeated after a wait.
	refuse func(w http.ResponseWriter, wait time.Duration)
	// answer answers the others.
	answer http.HandlerFunc

	mu                sync.Mutex    // guards the fields below
	down              bool          // every request is answered 500
	closed            time.Duration // if not 0, every request is refused, to come back after it
	models            map[string]ratemodel.Model
	requests, refused int
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	kind := ""
	if s.kind != nil {
		kind = s.kind(r)
	}
	now := time.Now()
	w.Header()["Date"] = []string{now.UTC().Format(http.TimeFormat)}
	state, wait, admitted := s.decide(kind, now)
	switch {
	case s.isDown():
		reply(w, http.StatusInternalServerError, map[string]any{
			"message": "down", "error": map[string]string{"type": "api_error", "message": "down"}, "errors": []string{"down"},
		})
		return
	case s.say != nil:
		s.say(w.Header(), kind, state, now)
	}
	if !admitted {
		s.refuse(w, wait)
		return
	}
	s.answer(w, r)
}

func (s *server) decide(kind string, now time.Time) (state ratemodel.Window, wait time.Duration, admitted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	m := s.models[kind]
	if m == nil {
		m = s.model(kind)
		if s.models == nil {
			s.models = map[string]ratemodel.Model{}
		}
		s.models[kind] = m
	}
	if admitted = s.closed == 0 && m.Admit(now); !admitted {
		s.refused++
	}
	state, wait = m.Windows(nil, now)[0], m.Next(now).Sub(now)
	if s.closed > 0 {
		wait = s.closed
		state.Remaining, state.Reset = 0, now.Add(wait)
	}
	return state, wait, admitted
}

// open ends what closed says.
func (s *server) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = 0
}

func (s *server) isDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// counts returns how many requests came, and how many of them were refused.
func (s *server) counts() (requests, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.refused
}

func reply(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error means that the client has gone
}

// retryAfter tells a client to come back after a wait, in whole seconds.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(up(wait), 10))
}

// inEpochSeconds returns a server's say that tells of the limit in three fields with a
// prefix, of which the reset is in seconds since 1970.
func inEpochSeconds(prefix string) func(h http.Header, kind string, w ratemodel.Window, now time.Time) {
	return func(h http.Header, _ string, w ratemodel.Window, _ time.Time) {
		h.Set(prefix+"-Limit", strconv.Itoa(w.Limit))
		h.Set(prefix+"-Remaining", strconv.Itoa(w.Remaining))
		h.Set(prefix+"-Reset", strconv.FormatInt(upTo(w.Reset).Unix(), 10))
	}
}

// up returns a duration in whole seconds, rounded up.
func up(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// upTo returns a moment in whole seconds, rounded up.
func upTo(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }
