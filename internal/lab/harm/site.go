package harm

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
)

// A site counts what an API does, request by request.
type site struct {
	mu      sync.Mutex
	start   time.Time
	from    time.Time // what is served counts from here on
	until   time.Time
	sent    int
	served  int
	refused int
	each    []int  // of those served, by process
	sixths  [6]int // of those served, by time
}

func (s *site) arrive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
}

// serve notes a request that got what it wanted: it counts for its size, or for one.
func (s *site) serve(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := max(1, int(size(r)))
	now := time.Now()
	if now.Before(s.from) || !now.Before(s.until) {
		return
	}
	s.served += n
	s.each[processOf(r)] += n
	s.sixths[int(6*now.Sub(s.from)/s.until.Sub(s.from))] += n
}

// refuse notes a request that a limit refused.
func (s *site) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
}

// An answer is what an API says, the fields as name and value in turn.
type answer struct {
	status int
	body   string
	fields []string
}

func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.Set("Content-Type", "application/json")
	for i := 0; i < len(a.fields); i += 2 {
		h.Set(a.fields[i], a.fields[i+1])
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// ok serves every request, with the fields.
func (s *site) ok(fields ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(r)
		answer{http.StatusOK, "{}", fields}.write(w)
	})
}

// shed answers a share of the requests, whatever their rate, before they come to next.
func (s *site) shed(next http.Handler, share func(since time.Duration) float64, a answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if draws(r).Float64() < share(time.Since(s.start)) {
			a.write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func always(share float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return share }
}

// limit refuses what passes the rules, and lets next answer the others.
func (s *site) limit(next http.Handler, rules ...apiserver.Rule) *apiserver.Server {
	return s.limitFor(apiserver.Credential, next, rules...)
}

func (s *site) limitFor(key func(*http.Request) string, next http.Handler, rules ...apiserver.Rule) *apiserver.Server {
	server, err := apiserver.New(apiserver.Config{Rules: rules, Handler: next, Key: key, Observe: func(d apiserver.Decision) {
		if d.Outcome == apiserver.Refused {
			s.refuse()
		}
	}})
	if err != nil {
		panic(err) // the worlds are well formed
	}
	return server
}

// slow lets an answer take its time.
func slow(next http.Handler, least, most time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sleep(r.Context(), between(draws(r), least, most)) == nil {
			next.ServeHTTP(w, r)
		}
	})
}

// nodes lets one of several answer, in turns of chance.
func nodes(all ...http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all[draws(r).IntN(len(all))].ServeHTTP(w, r)
	})
}

// byPath lets the handler of a path answer, or else the other.
func byPath(path string, its, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			its.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

func draws(r *http.Request) *rand.Rand { return drawsOf(r.Context()) }

func drawsOf(ctx context.Context) *rand.Rand { return simnet.Source(ctx) }

func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)+1))
}

// rule is a limit of a fixed or another window, in X-RateLimit fields with Retry-After.
func rule(model func() ratemodel.Model, form apiserver.Form) apiserver.Rule {
	return apiserver.Rule{
		Model:   func(string) ratemodel.Model { return model() },
		Dialect: apiserver.Dialect{Fields: apiserver.XRateLimit, Form: form, RetryAfter: apiserver.Seconds},
	}
}

func fixed(limit int, length time.Duration) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewFixed(limit, length) }
}

// greedy returns what somebody who knows everything could have had admitted of n such
// limits.
func greedy(n int, model func() ratemodel.Model) func(from, until time.Time) int {
	return func(from, until time.Time) int { return n * ratemodel.Greedy(model(), from, until, 0) }
}
