package apiserver

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Plan is a plan of Pullbay: the requests that it allows in 60 seconds.
type Plan int

// The plans of Pullbay.
const (
	Free    Plan = 10
	Starter Plan = 60
	Growth  Plan = 300
	Scale   Plan = 1000
)

// Pullbay is an API with the limits of Pullbay. See NewPullbay.
type Pullbay struct {
	*Server
	failures atomic.Int64

	mu      sync.Mutex // guards what follows
	plan    Plan       // of keys that have none of their own
	plans   map[string]Plan
	credits map[string]int
}

// NewPullbay returns an API with the limits of Pullbay: as many requests in any
// 60 seconds as the plan of the API key allows; the three X-RateLimit fields on
// every response, the reset being the moment at which the oldest request leaves
// the window, in epoch seconds. Refusals have no Retry-After.
//
// GET /v1/app-store/reviews/all has 3,000 made-up reviews of every app_id. It
// takes limit (1 to 500, default 100), sort (date_desc, the default, or date_asc)
// and cursor, and answers data beside meta with credits_used, total and, if there
// is more, next_cursor. A request costs a credit for each hundred reviews begun;
// refusals cost none. Every other path is 404.
//
// For speed and change see NewBindbee. It is safe for concurrent use.
//
// Source: the page "Rate Limits" of the Pullbay API documentation. It says in one
// place that refused requests cost credits and in another that they do not; the
// paging is ours.
func NewPullbay(plan Plan, speed float64, change ...func(*Config)) (*Pullbay, error) {
	if plan < 1 {
		return nil, fmt.Errorf("apiserver: plan %d allows nothing", plan)
	}
	minute, err := scaled(time.Minute, speed)
	if err != nil {
		return nil, err
	}
	p := &Pullbay{plan: plan, plans: map[string]Plan{}, credits: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/app-store/reviews/all", p.reviews)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, p.failure("not_found", "No such endpoint."))
	})
	p.Server, err = build(Config{
		Handler: mux,
		Rules: []Rule{{
			Model: func(key string) ratemodel.Model {
				return ratemodel.NewSlidingLog(int(p.Plan(key)), minute)
			},
			Dialect: Dialect{Fields: XRateLimit, Rounding: rounding(speed)},
			Body: func(f Refusal) any {
				return p.failure("rate_limit_exceeded", fmt.Sprintf(
					"Rate limit exceeded. You have used %d requests this minute. Limit: %d. Resets at: %s",
					f.Window.Limit, f.Window.Limit, seconds(f.Reset.UnixNano(), rounding(speed))))
			},
		}},
	}, change)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Plan returns the plan of a key.
func (p *Pullbay) Plan(key string) Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	if plan, ok := p.plans[key]; ok {
		return plan
	}
	return p.plan
}

// SetPlan changes the plan of a key from its next request on. What it has spent
// in the window stays spent. It returns an error if the plan allows nothing.
func (p *Pullbay) SetPlan(key string, plan Plan) error {
	if plan < 1 {
		return fmt.Errorf("apiserver: plan %d allows nothing", plan)
	}
	p.mu.Lock()
	p.plans[key] = plan
	p.mu.Unlock()
	p.Change(key, func(m ratemodel.Model) {
		if log, ok := m.(*ratemodel.SlidingLog); ok {
			log.SetLimit(int(plan))
		}
	})
	return nil
}

// Credits returns the credits that a key has used.
func (p *Pullbay) Credits(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.credits[key]
}

func (p *Pullbay) spend(key string, credits int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.credits[key] += credits
}

// failure is the body of every answer that is not a success.
func (p *Pullbay) failure(code, message string) any {
	type detail struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		RequestID string `json:"request_id"`
	}
	return map[string]detail{"error": {code, message, fmt.Sprintf("req_%012d", p.failures.Add(1))}}
}
