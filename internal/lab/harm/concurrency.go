package harm

import (
	"net/http"
	"sync"
	"time"
)

// concurrency is limits on the requests that are served at once.
func concurrency() []World {
	const span = 10 * time.Minute
	return []World{
		{
			ID: "concurrent", Name: "10 at once, each for 100 ms, refused with a bare 429",
			API: func(s *site) http.Handler {
				return s.atOnce(10, slow(s.ok(), 100*time.Millisecond, 100*time.Millisecond), refusal())
			},
			Span: span, Goal: Goal{Ratio: .9, Refused: .03},
		},
		{
			ID: "concurrent-few", Name: "3 at once, each for 50 to 850 ms, refused with a 429 and `Retry-After: 1`",
			API: func(s *site) http.Handler {
				return s.atOnce(3, slow(s.ok(), 50*time.Millisecond, 850*time.Millisecond), refusal("Retry-After", "1"))
			},
			Span: span, Goal: Goal{Ratio: .9, Refused: .03},
		},
		{
			ID: "concurrent-many", Name: "50 at once, each for 50 to 850 ms, 100 callers, refused with a bare 429",
			API: func(s *site) http.Handler {
				return s.atOnce(50, slow(s.ok(), 50*time.Millisecond, 850*time.Millisecond), refusal())
			},
			Callers: 100, Span: span, Goal: Goal{Ratio: .9, Refused: .03},
		},
	}
}

// atOnce lets at most n requests through at once, and refuses the others.
func (s *site) atOnce(n int, next http.Handler, a answer) http.Handler {
	var mu sync.Mutex
	inFlight := 0
	enter := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if inFlight >= n {
			return false
		}
		inFlight++
		return true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !enter() {
			s.refuse()
			a.write(w)
			return
		}
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			inFlight--
		}()
		next.ServeHTTP(w, r)
	})
}
