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

// channels is an API that counts each path apart, and names all their limits by one
// bucket.
func (s *site) channels(limit int, length time.Duration) http.Handler {
	var mu sync.Mutex
	models := map[string]*ratemodel.Fixed{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		m := models[r.URL.Path]
		if m == nil {
			m = ratemodel.NewFixed(limit, length)
			m.FromFirst = true
			models[r.URL.Path] = m
		}
		now := time.Now()
		ok := m.Admit(now)
		window := m.Windows(nil, now)[0]
		after := strconv.FormatFloat(math.Ceil(1000*window.Reset.Sub(now).Seconds())/1000, 'f', 3, 64)
		h := w.Header()
		h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(window.Remaining))
		h.Set("X-RateLimit-Reset-After", after)
		h.Set("X-RateLimit-Bucket", "80c17d2f203122d936070c88c8d10f33")
		if ok {
			s.serve(r)
			answer{status: http.StatusOK, body: "{}"}.write(w)
			return
		}
		s.refuse()
		answer{http.StatusTooManyRequests, `{"message":"You are being rate limited.","retry_after":` + after + `,"global":false}`, nil}.write(w)
	})
}

// byCaller asks for one of n paths, each caller always for the same.
func byCaller(pattern string, n int) func(context.Context, int, int) *http.Request {
	return func(ctx context.Context, caller, _ int) *http.Request {
		return request(ctx, fmt.Sprintf(pattern, caller%n))
	}
}

// routes is servers that count by route or thing, and several limits under one name.
func routes() []World {
	path := func(r *http.Request) string { return r.URL.Path }
	of := func(n, limit int, length time.Duration) func(from, until time.Time) int {
		return func(from, until time.Time) int { return n * limit * int(until.Sub(from)/length) }
	}
	return []World{
		{
			ID: "channels", Name: "twenty channels (an id in the path) of 5 in 5 s each, one name for all",
			API:      func(s *site) http.Handler { return s.channels(5, 5*time.Second) },
			Request:  byCaller("/api/v10/channels/8174000000000%02d/messages", 20),
			Callers:  60,
			Possible: of(20, 5, 5*time.Second), Goal: Goal{Used: .9, Refused: .01},
		},
		{
			ID: "chats", Name: "five chats (an id in the path) of 1 a second each, one name for all",
			API:      func(s *site) http.Handler { return s.channels(1, time.Second) },
			Request:  byCaller("/v1/chats/55500%d/messages", 5),
			Callers:  10,
			Possible: of(5, 1, time.Second), Goal: Goal{Used: .8, Refused: .01},
		},
		{
			ID: "endpoints", Name: "four endpoints of 60 a minute each, counted apart under the same fields",
			API: func(s *site) http.Handler {
				return s.limitFor(path, s.ok(), rule(fixed(60, time.Minute), apiserver.Epoch))
			},
			Request:  byCaller("/1.1/%[1]d/ids", 4),
			Possible: greedy(4, fixed(60, time.Minute)), Goal: Goal{Used: .95, Refused: .01},
		},
		{
			ID: "endpoint-small", Name: "one endpoint of 10 a minute, the rest 600 a minute, under the same fields",
			API: func(s *site) http.Handler {
				return byPath("/reports", s.limit(s.ok(), rule(fixed(10, time.Minute), apiserver.Epoch)), s.limit(s.ok(), rule(fixed(600, time.Minute), apiserver.Epoch)))
			},
			Request: func(ctx context.Context, caller, _ int) *http.Request {
				if caller < 3 {
					return request(ctx, "/reports")
				}
				return request(ctx, "/users")
			},
			Possible: func(from, until time.Time) int {
				return ratemodel.Greedy(ratemodel.NewFixed(610, time.Minute), from, until, 0)
			},
			Goal: Goal{Used: .95, Refused: .01},
		},
		{
			ID: "ids", Name: "300 a minute for the account, each request to another id",
			API: func(s *site) http.Handler { return s.limit(s.ok(), rule(fixed(300, time.Minute), apiserver.Epoch)) },
			Request: func(ctx context.Context, caller, n int) *http.Request {
				return request(ctx, fmt.Sprintf("/orders/%d", 100000*caller+n))
			},
			Possible: greedy(1, fixed(300, time.Minute)), Goal: Goal{Used: .98, Refused: .005},
		},
		{
			ID: "edge-app", Name: "20 a second at the edge, 300 a minute behind it, under the same fields",
			API: func(s *site) http.Handler {
				return s.limit(s.limit(s.ok(), rule(fixed(300, time.Minute), apiserver.Delta)), rule(fixed(20, time.Second), apiserver.Delta))
			},
			Possible: greedy(1, fixed(300, time.Minute)), Span: 10 * time.Minute, Goal: Goal{Used: .9, Refused: .02},
		},
		{
			ID: "tightest", Name: "60 a minute and 400 in ten minutes under the same fields, which tell the tighter of both",
			API:      func(s *site) http.Handler { return s.limit(s.ok(), rule(minuteAndTen, apiserver.Epoch)) },
			Possible: greedy(1, minuteAndTen), Span: 30 * time.Minute, Goal: Goal{Used: .9, Refused: .02},
		},
		{
			ID: "two-methods", Name: "reads of 300 a minute, writes of 30 a minute to the same path, under the same fields",
			API: func(s *site) http.Handler {
				reads, writes := s.limit(s.ok(), rule(fixed(300, time.Minute), apiserver.Epoch)), s.limit(s.ok(), rule(fixed(30, time.Minute), apiserver.Epoch))
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPut {
						writes.ServeHTTP(w, r)
						return
					}
					reads.ServeHTTP(w, r)
				})
			},
			Request: func(ctx context.Context, caller, _ int) *http.Request {
				req := request(ctx, "/items")
				if caller < 5 {
					req.Method = http.MethodPut
				}
				return req
			},
			Possible: greedy(1, fixed(330, time.Minute)), Goal: Goal{Used: .95, Refused: .01},
		},
	}
}

func minuteAndTen() ratemodel.Model {
	return ratemodel.All{ratemodel.NewFixed(60, time.Minute), ratemodel.NewFixed(400, 10*time.Minute)}
}
