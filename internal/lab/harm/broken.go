package harm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// broken is servers parts of which do not work, and answers that only sound like
// refusals.
func broken() []World {
	near := Goal{Ratio: .95}
	says := func(share float64, a answer) func(*site) http.Handler {
		return func(s *site) http.Handler { return s.shed(s.ok(much...), always(share), a) }
	}
	return []World{
		{
			ID: "node-429", Name: "one node of three sheds 30 % by a bare 429",
			API: func(s *site) http.Handler {
				good := s.ok(much...)
				return nodes(good, good, s.shed(good, always(.3), refusal()))
			},
			Goal: near,
		},
		{
			ID: "node-503", Name: "one node of three is down: 503 with `Retry-After: 2`",
			API: func(s *site) http.Handler {
				good := s.ok()
				return nodes(good, good, s.shed(good, always(1), answer{503, "{}", []string{"Retry-After", "2"}}))
			},
			Goal: near,
		},
		{
			ID: "node-slow", Name: "one node of three takes 5 s and fails every tenth time, an honest limit of 3,000 a minute",
			API: func(s *site) http.Handler {
				good := s.ok()
				bad := s.shed(slow(good, 4*time.Second, 6*time.Second), always(.1), answer{502, "{}", nil})
				return s.limit(nodes(good, good, bad), rule(fixed(3000, time.Minute), apiserver.Epoch))
			},
			Goal: near,
		},
		{
			ID: "words-400", Name: "1 % a 400 that speaks of a limit of the customer's",
			API: says(.01, answer{400, `{"message":"The amount exceeds your corporate limit"}`, nil}), Goal: Goal{Ratio: .97},
		},
		{
			ID: "words-403", Name: "1 % a 403 for a quota of seats",
			API: says(.01, answer{403, `{"error":"forbidden","message":"Seat quota of your plan reached: remove a member first"}`, nil}), Goal: Goal{Ratio: .97},
		},
		{
			ID: "words-422", Name: "1 % a 422 for a field beyond its limit",
			API: says(.01, answer{422, `{"errors":[{"field":"title","message":"exceeds the limit of 255 characters"}]}`, nil}), Goal: Goal{Ratio: .97},
		},
		{
			ID: "too-large", Name: "one request in fifty always a 429 that says that it is too large by itself",
			API: func(s *site) http.Handler {
				large := answer{
					429, `{"error":{"code":"rate_limit_exceeded","message":` +
						`"Request too large for model in organization on tokens per min (TPM): Limit 30000, Requested 48211."}}`, nil,
				}
				return byPath("/large", s.shed(s.ok(), always(1), large), s.ok(much...))
			},
			Request: func(ctx context.Context, _, n int) *http.Request {
				if n%50 == 49 {
					return request(ctx, "/large")
				}
				return request(ctx, "/items")
			},
			Goal: near,
		},
		{
			ID: "route-429", Name: "one route refused for an hour (429, `Retry-After: 3600`), 6,000 a minute for the others, 50 minutes",
			API: func(s *site) http.Handler {
				return byPath("/exports", s.shed(s.ok(), afterFirst(), refusal("Retry-After", "3600")),
					s.limit(s.ok(), rule(fixed(6000, time.Minute), apiserver.Epoch)))
			},
			Request: everyNth(60, "/exports", "/orders"), Think: time.Second, Span: 50 * time.Minute, Goal: Goal{Ratio: .97},
		},
		{
			ID: "method-429", Name: "one method of the API closed for 30 s of each minute (429, `Retry-After: 30`), nothing announced",
			API: func(s *site) http.Handler {
				closed := s.shed(s.ok(), func(since time.Duration) float64 {
					if since%time.Minute < 30*time.Second {
						return 1
					}
					return 0
				}, refusal("Retry-After", "30"))
				return byPath("/history", closed, s.ok())
			},
			Request: func(ctx context.Context, caller, _ int) *http.Request {
				if caller == 0 {
					return request(ctx, "/history")
				}
				return request(ctx, "/post")
			},
			Think: 200 * time.Millisecond, Goal: Goal{Ratio: .95},
		},
		{
			ID: "route-503", Name: "one route down: 503 with `Retry-After: 600`, the others well",
			API: func(s *site) http.Handler {
				return byPath("/search", s.shed(s.ok(), always(1), answer{503, "{}", []string{"Retry-After", "600"}}), s.ok())
			},
			Request: everyNth(100, "/search", "/orders"), Think: 200 * time.Millisecond, Span: 20 * time.Minute, Goal: Goal{Ratio: .95},
		},
	}
}

// afterFirst turns away all but the first.
func afterFirst() func(time.Duration) float64 {
	n := 0
	return func(time.Duration) float64 {
		if n++; n > 1 {
			return 1
		}
		return 0
	}
}

// everyNth makes the first caller ask for one path every n-th time; all others, and it
// else, ask for things of the other path, each once.
func everyNth(n int, path, other string) func(context.Context, int, int) *http.Request {
	return func(ctx context.Context, caller, i int) *http.Request {
		if caller == 0 && i%n == n-1 {
			return request(ctx, path)
		}
		return request(ctx, fmt.Sprintf("%s/%d", other, 100000*caller+i))
	}
}
