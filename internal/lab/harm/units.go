package harm

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/simnet"
)

// A meter is a bucket or a window of tokens, of which requests spend as many as they
// please.
type meter struct {
	mu             sync.Mutex
	capacity, left float64
	rate           float64       // a second
	window         time.Duration // if not 0, all comes back at once at the end of each
	last           time.Time
}

// spend takes so many if they are there. It returns whether they were, what is left, and
// when all is back.
func (m *meter) spend(now time.Time, cost float64) (ok bool, left float64, full time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refill(now)
	if ok = cost <= m.left; ok {
		m.left -= cost
	}
	if m.window > 0 {
		return ok, m.left, now.Truncate(m.window).Add(m.window).Sub(now)
	}
	return ok, m.left, seconds((m.capacity - m.left) / m.rate)
}

func (m *meter) refill(now time.Time) {
	switch {
	case m.last.IsZero():
	case m.window > 0:
		if now.Truncate(m.window).After(m.last) {
			m.left = m.capacity
		}
	default:
		m.left = min(m.capacity, m.left+m.rate*now.Sub(m.last).Seconds())
	}
	m.last = now
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// sized makes requests that cost between least and most each, however often they are
// sent.
func sized(least, most int) func(context.Context, int, int) *http.Request {
	return func(ctx context.Context, _, _ int) *http.Request {
		req := request(ctx, "/completions")
		req.Header.Set("X-Size", strconv.Itoa(least+simnet.Source(ctx).IntN(most-least+1)))
		return req
	}
}

// size returns what a request costs, 0 if it has no size.
func size(r *http.Request) float64 {
	n, _ := strconv.Atoi(r.Header.Get("X-Size"))
	return float64(n)
}

// tokens limits what requests cost.
func (s *site) tokens(m *meter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cost := size(r)
		ok, left, full := m.spend(time.Now(), cost)
		h := w.Header()
		h.Set("X-RateLimit-Limit-Tokens", strconv.FormatFloat(m.capacity, 'f', 0, 64))
		h.Set("X-RateLimit-Remaining-Tokens", strconv.FormatFloat(math.Floor(left), 'f', 0, 64))
		h.Set("X-RateLimit-Reset-Tokens", full.Round(time.Millisecond).String())
		if ok {
			next.ServeHTTP(w, r)
			return
		}
		s.refuse()
		wait := math.Ceil(full.Seconds())
		if m.window == 0 {
			wait = math.Ceil((cost - left) / m.rate)
		}
		refusal("Retry-After", strconv.FormatFloat(wait, 'f', 0, 64)).write(w)
	})
}

// units is servers that charge by size.
func units() []World {
	possible := func(capacity, rate float64) func(from, until time.Time) int {
		return func(from, until time.Time) int { return int(capacity + rate*until.Sub(from).Seconds()) }
	}
	return []World{
		{
			ID: "tokens-short", Name: "100,000 tokens and 10,000 a second, calls of 700 to 1,000, a job of 6 s with enough left",
			API: func(s *site) http.Handler {
				return s.tokens(&meter{capacity: 100_000, left: 100_000, rate: 10_000}, slow(s.ok(), 500*time.Millisecond, 700*time.Millisecond))
			},
			Request: sized(700, 1000), Span: 6 * time.Second, Goal: Goal{Ratio: .95},
		},
		{
			ID: "tokens-long", Name: "30,000 tokens and 500 a second, calls of 100 to 1,900",
			API:     func(s *site) http.Handler { return s.tokens(&meter{capacity: 30_000, left: 30_000, rate: 500}, s.ok()) },
			Request: sized(100, 1900), Span: 10 * time.Minute,
			Possible: possible(30_000, 500), Goal: Goal{Ratio: .9, Used: .9, Refused: .05},
		},
		{
			ID: "tokens-minute", Name: "60,000 tokens in each minute, calls of 100 to 1,900",
			API: func(s *site) http.Handler {
				return s.tokens(&meter{capacity: 60_000, left: 60_000, window: time.Minute}, s.ok())
			},
			Request: sized(100, 1900), Span: 10 * time.Minute,
			Possible: greedy(1, fixed(60_000, time.Minute)), Goal: Goal{Ratio: .9, Used: .9, Refused: .05},
		},
		{
			ID: "tokens-day", Name: "2,000,000 tokens a day of which 100,000 are left, calls of 500 to 1,500, a job of a minute",
			API: func(s *site) http.Handler {
				return s.tokens(&meter{capacity: 2_000_000, left: 100_000, window: 24 * time.Hour}, s.ok())
			},
			Request: sized(500, 1500), Callers: 2, Think: 2 * time.Second, Span: time.Minute, Goal: Goal{Ratio: .9},
		},
		{
			ID: "points", Name: "10,000 points and 100 a second, calls of 1 to 400, one caller in need of less",
			API:     func(s *site) http.Handler { return s.tokens(&meter{capacity: 10_000, left: 10_000, rate: 100}, s.ok()) },
			Request: sized(1, 400), Callers: 1, Think: 2500 * time.Millisecond, Span: 10 * time.Minute, Goal: Goal{Ratio: .95},
		},
		{
			ID: "bytes", Name: "50 MB and 1 MB a second, calls of 1 to 900 kB, five callers in need of less",
			API:     func(s *site) http.Handler { return s.tokens(&meter{capacity: 50e6, left: 50e6, rate: 1e6}, s.ok()) },
			Request: sized(1e3, 900e3), Callers: 5, Think: 3 * time.Second, Span: 10 * time.Minute, Goal: Goal{Ratio: .95},
		},
		{
			ID: "points-low", Name: "a meter of 1,000 points and 10 a second, calls of 5 to 60, 400 left, a job of 20 s by two callers",
			API:     func(s *site) http.Handler { return s.tokens(&meter{capacity: 1000, left: 400, rate: 10}, s.ok()) },
			Request: sized(5, 60), Callers: 2, Think: 2 * time.Second, Span: 20 * time.Second, Goal: Goal{Ratio: .9, Refused: .1},
		},
	}
}
