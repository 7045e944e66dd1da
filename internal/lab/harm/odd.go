package harm

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// odd is servers that count, tell and refuse in ways of their own.
func odd() []World {
	near := Goal{Ratio: .95, Refused: .02}
	account := func(*http.Request) string { return "account" }
	minute := func(limit int) apiserver.Rule { return rule(fixed(limit, time.Minute), apiserver.Epoch) }
	return []World{
		{
			ID: "query", Name: "five accounts (a query parameter) of 60 a minute each, under the same fields, each page another number",
			API: func(s *site) http.Handler {
				return s.limitFor(func(r *http.Request) string { return r.URL.Query().Get("account_id") }, s.ok(), minute(60))
			},
			Request: func(ctx context.Context, caller, n int) *http.Request {
				return request(ctx, fmt.Sprintf("/payments?account_id=%d&page=%d", 7000+caller%5, n))
			},
			Possible: greedy(5, fixed(60, time.Minute)), Goal: near,
		},
		{
			ID: "users", Name: "500 users (an id in the path) of 10 a minute each, under the same fields",
			API: func(s *site) http.Handler {
				return s.limitFor(func(r *http.Request) string { return r.URL.Path }, s.ok(), minute(10))
			},
			Request: func(ctx context.Context, caller, n int) *http.Request {
				return request(ctx, fmt.Sprintf("/users/%d/timeline", 10000+(25*n+caller)%500))
			},
			Callers: 25, Possible: greedy(500, fixed(10, time.Minute)), Goal: near,
		},
		{
			ID: "far", Name: "10 a second, reset as a moment, trips of 300 to 400 ms each way",
			API:   func(s *site) http.Handler { return s.limit(s.ok(), rule(fixed(10, time.Second), apiserver.Epoch)) },
			Least: 300 * time.Millisecond, Most: 400 * time.Millisecond, Goal: Goal{Ratio: .9, Refused: .03},
		},
		{
			ID: "far-steady", Name: "10 a second, reset as a delay, trips of 340 ms each way",
			API:   func(s *site) http.Handler { return s.limit(s.ok(), rule(fixed(10, time.Second), apiserver.Delta)) },
			Least: 340 * time.Millisecond, Most: 342 * time.Millisecond, Goal: Goal{Ratio: .9, Refused: .03},
		},
		{
			ID: "to-the-minute", Name: "100 a minute, the reset told to the minute",
			API: func(s *site) http.Handler {
				return s.count(account, fixed(100, time.Minute), func(h http.Header, w ratemodel.Window, _ time.Time) {
					h.Set("X-RateLimit-Limit", strconv.Itoa(w.Limit))
					h.Set("X-RateLimit-Remaining", strconv.Itoa(w.Remaining))
					h.Set("X-RateLimit-Reset", w.Reset.UTC().Format("2006-01-02T15:04Z"))
				})
			},
			Possible: greedy(1, fixed(100, time.Minute)), Goal: near,
		},
		{
			ID: "to-the-minute-burst", Name: "30 in ten seconds, the reset told to the minute (rounded down)",
			API: func(s *site) http.Handler {
				return s.count(account, fixed(30, 10*time.Second), func(h http.Header, w ratemodel.Window, now time.Time) {
					h.Set("X-RateLimit-Limit", strconv.Itoa(w.Limit))
					h.Set("X-RateLimit-Remaining", strconv.Itoa(w.Remaining))
					h.Set("X-RateLimit-Reset", w.Reset.UTC().Format("2006-01-02T15:04Z"))
					if w.Remaining == 0 {
						h.Set("Retry-After", strconv.Itoa(int(math.Ceil(w.Reset.Sub(now).Seconds()))))
					}
				})
			},
			Possible: greedy(1, fixed(30, 10*time.Second)), Goal: Goal{Ratio: .95, Refused: .03},
		},
		{
			ID: "expired", Name: "2 % a 403 for an expired signature, which says that nothing remains",
			API: func(s *site) http.Handler {
				return s.shed(s.ok(much...), always(.02), answer{403, `{"message":"Signature expired"}`, []string{
					"X-RateLimit-Limit", "1000000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "3600"}})
			},
			Goal: near,
		},
		{
			ID: "words-tenth", Name: "a tenth a 403 that speaks of a rate limit",
			API: func(s *site) http.Handler {
				return s.shed(s.ok(), always(.1), answer{403, `{"message":"You have exceeded a secondary rate limit"}`, nil})
			},
			Goal: near,
		},
		{
			ID: "at-once", Name: "5 % a 429 with `Retry-After: 0`",
			API:  func(s *site) http.Handler { return s.shed(s.ok(), always(.05), refusal("Retry-After", "0")) },
			Goal: near,
		},
		{
			ID: "penalty", Name: "60 a minute, and each refusal asks for twice as long as the last",
			API:  func(s *site) http.Handler { return s.penalty(60, time.Minute) },
			Span: 20 * time.Minute, Goal: Goal{Ratio: .95, Refused: .2},
		},
		{
			ID: "maintenance", Name: "a 503 with a date as `Retry-After` for 90 s of each five minutes, which is put off twice",
			API: func(s *site) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					since := time.Since(s.start) % (5 * time.Minute)
					if since >= time.Minute && since < 150*time.Second {
						end := time.Now().Add(30*time.Second - (since-time.Minute)%(30*time.Second))
						answer{503, "maintenance", []string{"Retry-After", end.UTC().Format(http.TimeFormat)}}.write(w)
						return
					}
					s.ok(much...).ServeHTTP(w, r)
				})
			},
			Span: 20 * time.Minute, Goal: near,
		},
		{
			ID: "edge-html", Name: "an edge allows 50 a second and answers others 429 with HTML, an API behind it announces much",
			API: func(s *site) http.Handler {
				return s.quiet(fixed(50, time.Second), s.ok(much...), answer{429, "<html><head><title>429 Too Many Requests</title></head></html>", nil})
			},
			Goal: Goal{Ratio: .9, Refused: .08},
		},
		{
			ID: "address", Name: "10 a second an address, told by nothing but a bare 429, and 3,000 in five minutes a key, announced",
			API: func(s *site) http.Handler {
				return s.quiet(fixed(10, time.Second), s.limit(s.ok(), rule(fixed(3000, 5*time.Minute), apiserver.Epoch)), refusal())
			},
			Span: 10 * time.Minute, Goal: Goal{Ratio: .95, Refused: .04},
		},
		{
			ID: "nodes", Name: "three nodes with a limiter of 10 a second each, a bucket of 20, not announced",
			API: func(s *site) http.Handler {
				node := func() http.Handler {
					return s.quiet(func() ratemodel.Model { return ratemodel.NewBucket(20, 10, time.Second) }, s.ok(), refusal())
				}
				return nodes(node(), node(), node())
			},
			Goal: Goal{Ratio: .9, Refused: .12},
		},
		{
			ID: "moves", Name: "serves on; what remains falls by one to 0 and stays there, the reset is always a minute away",
			API: func(s *site) http.Handler {
				var mu sync.Mutex
				left := 500
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					left = max(left-1, 0)
					n := strconv.Itoa(left)
					mu.Unlock()
					s.ok("X-RateLimit-Limit", "500", "X-RateLimit-Remaining", n, "X-RateLimit-Reset", strconv.FormatInt(time.Now().Unix()+60, 10)).ServeHTTP(w, r)
				})
			},
			Span: 10 * time.Minute, Goal: near,
		},
		{
			ID: "warm-up", Name: "a bucket whose rate grows from 2 to 50 a second in five minutes, refusals name a second",
			API:  func(s *site) http.Handler { return s.warming(2, 50, 5*time.Minute, "1") },
			Span: 10 * time.Minute, Goal: Goal{Ratio: .9, Refused: .02},
		},
		{
			ID: "cold", Name: "refuses everything for the first 20 s, 429 with `Retry-After: 5`",
			API: func(s *site) http.Handler {
				return s.shed(s.ok(), func(since time.Duration) float64 {
					if since < 20*time.Second {
						return 1
					}
					return 0
				}, refusal("Retry-After", "5"))
			},
			Goal: near,
		},
		{
			ID: "hour-jump", Name: "300 a minute, reset as a moment, and the server's clock jumps an hour back",
			API: func(s *site) http.Handler {
				server := s.limit(s.ok(), minute(300))
				time.AfterFunc(2*time.Minute, func() { server.SetClockOffset(-time.Hour) })
				return server
			},
			Possible: greedy(1, fixed(300, time.Minute)), Goal: near,
		},
		{
			ID: "per-method", Name: "GET of 300, PUT of 20 and DELETE of 10 a minute, told by nothing but `Retry-After`",
			API: func(s *site) http.Handler {
				of := func(limit int) http.Handler {
					return s.limit(s.ok(), apiserver.Rule{
						Model:   func(string) ratemodel.Model { return ratemodel.NewFixed(limit, time.Minute) },
						Dialect: apiserver.Dialect{RetryAfter: apiserver.Seconds},
					})
				}
				all := map[string]http.Handler{http.MethodGet: of(300), http.MethodPut: of(20), http.MethodDelete: of(10)}
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { all[r.Method].ServeHTTP(w, r) })
			},
			Request: func(ctx context.Context, caller, _ int) *http.Request {
				req := request(ctx, "/items")
				req.Method = []string{http.MethodGet, http.MethodPut, http.MethodDelete}[caller%3]
				return req
			},
			Span: 10 * time.Minute, Goal: Goal{Ratio: .95, Refused: .04},
		},
	}
}
