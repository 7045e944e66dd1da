package harm

import (
	"net/http"
	"time"
)

// much announces a limit that nobody comes near.
var much = []string{"X-RateLimit-Limit", "1000000", "X-RateLimit-Remaining", "900000", "X-RateLimit-Reset", "3600"}

func refusal(fields ...string) answer {
	return answer{http.StatusTooManyRequests, `{"error":"busy"}`, fields}
}

// shedding is servers that turn some requests away, however few there are.
func shedding() []World {
	near := Goal{Ratio: .95}
	sheds := func(share float64, a answer, fields ...string) func(*site) http.Handler {
		return func(s *site) http.Handler { return s.shed(s.ok(fields...), always(share), a) }
	}
	return []World{
		{ID: "shed-429", Name: "1 % a bare 429, much announced to be left", API: sheds(.01, refusal(), much...), Goal: near},
		{ID: "shed-429-silent", Name: "5 % a bare 429, nothing announced", API: sheds(.05, refusal()), Goal: near},
		{
			ID: "shed-503", Name: "1 % a 503 with `Retry-After: 1`, much announced",
			API: sheds(.01, answer{503, `{"error":"try again"}`, []string{"Retry-After", "1"}}, much...), Goal: near,
		},
		{
			ID: "shed-529", Name: "3 % a 529 (overloaded), much announced",
			API: sheds(.03, answer{529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, nil}, much...), Goal: near,
		},
		{
			ID: "shed-500", Name: "2 % a 500 with `Retry-After: 5`, nothing announced",
			API: sheds(.02, answer{500, `{"error":"internal"}`, []string{"Retry-After", "5"}}), Goal: near,
		},
		{
			ID: "shed-429-announcing", Name: "2 % a 429 with `Retry-After: 1` that announces what the others do",
			API: sheds(.02, refusal(append([]string{"Retry-After", "1"}, much...)...), much...), Goal: near,
		},
		{
			ID: "overload", Name: "20 % a bare 429 for two minutes, then none; from half a minute later on",
			API: func(s *site) http.Handler {
				return s.shed(s.ok(), func(since time.Duration) float64 {
					if since < 2*time.Minute {
						return .2
					}
					return 0
				}, refusal())
			},
			Span: 8 * time.Minute, Skip: 150 * time.Second, Goal: near,
		},
		{
			ID: "overload-bursts", Name: "half of all a 429 with `Retry-After: 1`, for five seconds of each minute",
			API: func(s *site) http.Handler {
				return s.shed(s.ok(much...), func(since time.Duration) float64 {
					if since%time.Minute < 5*time.Second {
						return .5
					}
					return 0
				}, refusal("Retry-After", "1"))
			},
			Goal: near,
		},
		{
			ID: "slow-429", Name: "answers take 10 to 30 s, 2 % a 429 with `Retry-After: 1`, 100 callers, an hour",
			API: func(s *site) http.Handler {
				served := slow(s.ok("X-RateLimit-Limit-Requests", "10000", "X-RateLimit-Remaining-Requests", "9900", "X-RateLimit-Reset-Requests", "1s"),
					10*time.Second, 30*time.Second)
				return s.shed(served, always(.02), refusal("Retry-After", "1"))
			},
			Callers: 100, Span: time.Hour, Goal: near,
		},
		{
			ID: "hours-1", Name: "1 % a bare 429, for six hours", API: sheds(.01, refusal(), much...),
			Callers: 3, Think: time.Second, Span: 6 * time.Hour, Goal: Goal{Ratio: .95, Steady: .95},
		},
		{
			ID: "hours-5", Name: "5 % a 503 with `Retry-After: 1`, for six hours", API: sheds(.05, answer{503, "{}", []string{"Retry-After", "1"}}),
			Callers: 3, Think: time.Second, Span: 6 * time.Hour, Goal: Goal{Ratio: .95, Steady: .95},
		},
	}
}
