package harm

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// beliefs is servers whose word does not hold.
func beliefs() []World {
	return []World{
		{
			ID: "renewed", Name: "nothing left for 50 minutes, but the key is renewed below the client after one",
			API: func(s *site) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					left := "6000"
					if time.Since(s.start) < time.Minute {
						left = "0"
					}
					reset := strconv.FormatInt(s.start.Add(50*time.Minute).Unix(), 10)
					s.ok("X-RateLimit-Limit", "6900", "X-RateLimit-Remaining", left, "X-RateLimit-Reset", reset).ServeHTTP(w, r)
				})
			},
			Callers: 2, Think: time.Second, Span: 49 * time.Minute, Goal: Goal{Ratio: .7},
		},
		{
			ID: "beyond-usage", Name: "serves beyond its limit, and says so: `api-usage=110018/100000`",
			API: func(s *site) http.Handler {
				var n atomic.Int64
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					s.ok("Sforce-Limit-Info", "api-usage="+strconv.FormatInt(110018+n.Add(1), 10)+"/100000").ServeHTTP(w, r)
				})
			},
			Callers: 5, Span: 10 * time.Minute, Skip: 2 * time.Minute, Goal: Goal{Ratio: .9},
		},
		{
			ID: "beyond-remaining", Name: "serves on with nothing remaining for an hour",
			API: func(s *site) http.Handler {
				return s.ok("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "3600")
			},
			Callers: 5, Span: 10 * time.Minute, Skip: 3 * time.Minute, Goal: Goal{Ratio: .9},
		},
		{
			ID: "same-remaining", Name: "serves on with 3 remaining for an hour, as a cache below tells each time",
			API: func(s *site) http.Handler {
				return s.ok("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "3", "X-RateLimit-Reset", "3600")
			},
			Span: 10 * time.Minute, Goal: Goal{Ratio: .9},
		},
		{
			ID: "only-remaining", Name: "serves on with `X-RateLimit-Remaining: 0`, and tells no limit and no reset",
			API:  func(s *site) http.Handler { return s.ok("X-RateLimit-Remaining", "0") },
			Span: 10 * time.Minute, Goal: Goal{Ratio: .95},
		},
		{
			ID: "past-reset", Name: "serves on with nothing remaining since a reset that was an hour ago",
			API: func(s *site) http.Handler {
				return s.ok("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", strconv.FormatInt(s.start.Add(-time.Hour).Unix(), 10))
			},
			Span: 10 * time.Minute, Goal: Goal{Ratio: .95},
		},
		{
			ID: "anonymous", Name: "a 401 now and then shows the 60 an hour of strangers, all else the 5,000 of the key",
			API: func(s *site) http.Handler {
				reset := strconv.FormatInt(s.start.Add(40*time.Minute).Unix(), 10)
				return s.shed(s.ok("X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", reset), always(.02),
					answer{401, `{"message":"Bad credentials"}`, []string{"X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset}})
			},
			Callers: 5, Think: 500 * time.Millisecond, Goal: Goal{Ratio: .95},
		},
		{
			ID: "block-renewed", Name: "60 a minute, nothing announced; whoever asks within a block of 30 s is blocked for 30 s more",
			API:     func(s *site) http.Handler { return s.block(60, time.Minute, 30*time.Second) },
			Callers: 10, Span: 20 * time.Minute, Goal: Goal{Ratio: 2, Refused: .15},
		},
		{
			ID: "refusals-count", Name: "60 a minute, rolling, refused requests count too",
			API: func(s *site) http.Handler {
				return s.limit(s.ok(), rule(func() ratemodel.Model {
					m := ratemodel.NewSlidingLog(60, time.Minute)
					m.RefusalsCount = true
					return m
				}, apiserver.Epoch))
			},
			Possible: greedy(1, func() ratemodel.Model { return ratemodel.NewSlidingLog(60, time.Minute) }),
			Span:     10 * time.Minute, Goal: Goal{Used: .95, Refused: .01},
		},
		{
			ID: "yesterday", Name: "a cache below answers 1 % with a header of yesterday",
			API: func(s *site) http.Handler {
				old := s.start.Add(-24 * time.Hour)
				fields := func(left string, reset time.Time) []string {
					return []string{"X-RateLimit-Limit", "50000", "X-RateLimit-Remaining", left, "X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10)}
				}
				fresh := s.ok(fields("40000", s.start.Add(50*time.Minute))...)
				stale := s.ok(append(fields("0", old.Add(10*time.Minute)), "Date", old.UTC().Format(http.TimeFormat), "Age", "86400")...)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if draws(r).Float64() < .01 {
						stale.ServeHTTP(w, r)
						return
					}
					fresh.ServeHTTP(w, r)
				})
			},
			Goal: Goal{Ratio: .95},
		},
	}
}

// block refuses for a while what passes so many in a window, without a word on when to
// come back; every request within that while renews it.
func (s *site) block(limit int, length, lasting time.Duration) http.Handler {
	var mu sync.Mutex
	model, until := ratemodel.NewFixed(limit, length), time.Time{}
	admit := func(now time.Time) bool {
		mu.Lock()
		defer mu.Unlock()
		if now.Before(until) || !model.Admit(now) {
			until = now.Add(lasting)
			return false
		}
		return true
	}
	return s.admits(admit, refusal())
}

// admits serves what admit does, and refuses all else.
func (s *site) admits(admit func(now time.Time) bool, no answer) http.Handler {
	served := s.ok()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if admit(time.Now()) {
			served.ServeHTTP(w, r)
			return
		}
		s.refuse()
		no.write(w)
	})
}
