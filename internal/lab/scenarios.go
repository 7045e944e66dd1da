package lab

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// Scenarios returns all scenarios: APIs that tell their limits, APIs that do not, a
// shared quota, and other loads than callers who never rest.
func Scenarios() []Scenario {
	return append(append(told(), silent()...), loads()...)
}

var xRateLimit = apiserver.Dialect{Fields: apiserver.XRateLimit, RetryAfter: apiserver.Seconds}

func told() []Scenario {
	return []Scenario{
		{
			ID: "fixed", Name: "200 a minute, fixed window, `X-RateLimit-*` and `Retry-After`",
			Server: func() (*apiserver.Server, error) { return apiserver.NewBindbee(1) }, Rate: perMinute(200),
		},
		{
			ID: "keys", Name: "the same, five keys",
			Server: func() (*apiserver.Server, error) { return apiserver.NewBindbee(1) }, Rate: perMinute(200),
			Keys: []string{"a", "b", "c", "d", "e"},
		},
		{
			ID: "rolling", Name: "60 a minute, rolling window, `X-RateLimit-*`, no `Retry-After`",
			Server: func() (*apiserver.Server, error) {
				api, err := apiserver.NewPullbay(apiserver.Starter, 1)
				if err != nil {
					return nil, err
				}
				return api.Server, nil
			}, Rate: perMinute(60), Path: "/v1/app-store/reviews/all?app_id=1&limit=1",
		},
		{
			ID: "bucket", Name: "token bucket of 120, 120 a minute, `RateLimit-*` of draft 3, reset means full again",
			Server: serve(func() ratemodel.Model {
				b := ratemodel.NewBucket(120, 120, time.Minute)
				b.Reset = ratemodel.ResetFull
				return b
			}, apiserver.Dialect{Fields: apiserver.Draft03, RetryAfter: apiserver.Seconds}), Rate: perMinute(120),
		},
		{
			ID: "two", Name: "10 a second and 100 a minute, `RateLimit` of draft 8 and later",
			Server: serve(func() ratemodel.Model {
				second, minute := ratemodel.NewFixed(10, time.Second), ratemodel.NewFixed(100, time.Minute)
				second.Name, minute.Name = "persec", "permin"
				return ratemodel.All{second, minute}
			}, apiserver.Dialect{Fields: apiserver.Structured, RetryAfter: apiserver.Seconds}), Rate: perMinute(100),
		},
		{
			ID: "crowd", Name: "300 a minute, 200 callers, responses that overtake each other",
			Server: serve(fixed(300), xRateLimit), Rate: perMinute(300), Callers: 200,
			Least: 200 * time.Millisecond, Most: 1700 * time.Millisecond,
		},
		{
			ID: "ahead", Name: "200 a minute, server clock 95 s ahead",
			Server: serve(fixed(200), xRateLimit, func(c *apiserver.Config) { c.ClockOffset = 95 * time.Second }), Rate: perMinute(200),
		},
		{
			ID: "behind", Name: "200 a minute, server clock 95 s behind, no `Retry-After`",
			Server: serve(fixed(200), apiserver.Dialect{Fields: apiserver.XRateLimit},
				func(c *apiserver.Config) { c.ClockOffset = -95 * time.Second }), Rate: perMinute(200),
		},
		{
			ID: "faults", Name: "200 a minute, refusals count, 5 % of answers are 503",
			Server: serve(func() ratemodel.Model {
				m := ratemodel.NewFixed(200, time.Minute)
				m.RefusalsCount = true
				return m
			}, xRateLimit, func(c *apiserver.Config) {
				c.Faults = apiserver.Faults{Share: .05, Counted: true, Seed: 3}
			}), Rate: perMinute(200), Drawn: true,
		},
		{
			ID: "day", Name: "600 a minute, 15,000 an hour, 250,000 a day, for 26 hours",
			Server: func() (*apiserver.Server, error) { return apiserver.NewBundleport(apiserver.BundleportLimits{}, 1) },
			Span:   26 * time.Hour, Rate: peer.Rate{Limit: 250_000, Per: 24 * time.Hour}, Window: perMinute(600),
			Without: []string{"x/time/rate, burst = limit", "guide: proactive throttler", "go-github-ratelimit"},
		},
	}
}

func silent() []Scenario {
	return []Scenario{
		{
			ID: "retryafter", Name: "300 a minute, nothing but `Retry-After` on a refusal",
			Server: serve(fixed(300), apiserver.Dialect{RetryAfter: apiserver.Seconds}), Rate: perMinute(300), Span: 20 * time.Minute, Silent: true, Drawn: true,
		},
		{
			ID: "bare-bucket", Name: "bucket of 5, 5 a second, a bare 429",
			Server: serve(func() ratemodel.Model { return ratemodel.NewBucket(5, 5, time.Second) }, apiserver.Dialect{}),
			Rate:   peer.Rate{Limit: 5, Per: time.Second}, Span: 20 * time.Minute, Silent: true, Drawn: true,
		},
		{
			ID: "bare-rolling", Name: "60 a minute, rolling window, a bare 429",
			Server: serve(func() ratemodel.Model { return ratemodel.NewSlidingLog(60, time.Minute) }, apiserver.Dialect{}),
			Rate:   perMinute(60), Span: 30 * time.Minute, Silent: true, Drawn: true,
		},
		{
			ID: "body", Name: "300 an hour from the first request on, nothing but a date in the body of a refusal, for 5 hours",
			Server: func() (*apiserver.Server, error) { return apiserver.NewBCB(1) }, Rate: peer.Rate{Limit: 300, Per: time.Hour},
			Span: 5 * time.Hour, Silent: true, Drawn: true,
			Without: []string{"failsafe-go, retry", "guide: proactive throttler", "go-github-ratelimit"},
		},
		{
			ID: "none", Name: "no limit at all, 200 callers",
			Server: func() (*apiserver.Server, error) { return apiserver.New(apiserver.Config{}) }, Callers: 200, Span: into + time.Minute,
		},
	}
}

func loads() []Scenario {
	return []Scenario{
		{
			ID: "shared", Name: "400 a minute, shared by four processes of ten callers",
			Server: serve(fixed(400), xRateLimit), Rate: perMinute(100), Processes: 4, Callers: 10, Drawn: true,
		},
		{
			ID: "bursts", Name: "200 a minute, bursts of 250 requests every 90 s",
			Server: serve(fixed(200), xRateLimit), Rate: perMinute(200), Arrivals: bursts(6, 250, 90*time.Second),
		},
		{
			ID: "light", Name: "200 a minute, 60 requests a minute at random times",
			Server: serve(fixed(200), xRateLimit), Rate: perMinute(200), Arrivals: trickle(time.Second, 10*time.Minute-into, 7),
		},
	}
}

func perMinute(n int) peer.Rate { return peer.Rate{Limit: n, Per: time.Minute} }

func fixed(limit int) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewFixed(limit, time.Minute) }
}

func serve(model func() ratemodel.Model, d apiserver.Dialect, change ...func(*apiserver.Config)) func() (*apiserver.Server, error) {
	return func() (*apiserver.Server, error) {
		c := apiserver.Config{Rules: []apiserver.Rule{{Model: func(string) ratemodel.Model { return model() }, Dialect: d}}}
		for _, f := range change {
			f(&c)
		}
		return apiserver.New(c)
	}
}

// bursts returns n arrivals of size requests each, a tenth of a second long.
func bursts(n, size int, every time.Duration) []time.Duration {
	at := make([]time.Duration, 0, n*size)
	for b := range n {
		for i := range size {
			at = append(at, time.Duration(b)*every+time.Duration(i)*100*time.Millisecond/time.Duration(size))
		}
	}
	return at
}

// trickle returns arrivals with exponential gaps of the given mean.
func trickle(mean, span time.Duration, seed uint64) []time.Duration {
	rng := rand.New(rand.NewPCG(seed, 0))
	var at []time.Duration
	for t := time.Duration(0); ; {
		t += time.Duration(-math.Log(1-rng.Float64()) * float64(mean))
		if t >= span {
			return at
		}
		at = append(at, t)
	}
}
