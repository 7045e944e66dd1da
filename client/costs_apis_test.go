package client_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A unitAPI answers as some real API does that limits something else than requests.
type unitAPI struct {
	host, path string
	length     time.Duration // of a run
	limit      float64       // of the pool
	pool       func(limit float64) ratemodel.Pool
	charging   ratemodel.Charging
	takes      time.Duration                                      // a response
	cost       func(r *rand.Rand) ratemodel.Cost                  // of a request
	body       string                                             // of each request
	requests   func() ratemodel.Pool                              // nil: not limited
	tell       func(h http.Header, s *servedUnits, now time.Time) // in each response
	answer     func(s *servedUnits, c ratemodel.Cost) string      // the body of a response that was served
	refuse     func(resp *http.Response, s *servedUnits) string   // the body of a refusal
}

// servedUnits is a server of a unitAPI.
type servedUnits struct {
	unitAPI

	mu              sync.Mutex
	charger         ratemodel.Charger
	calls           ratemodel.Pool
	random          *rand.Rand
	last            ratemodel.Cost // what the last request cost
	served, refused int
	spent           float64
}

func newServedUnits(api unitAPI, seed uint64) *servedUnits {
	s := &servedUnits{unitAPI: api, random: rand.New(rand.NewPCG(seed, 1)), charger: ratemodel.Charger{Pool: api.pool(api.limit), Charging: api.charging}}
	if api.requests != nil {
		s.calls = api.requests()
	}
	return s
}

// left is what remains, in whole units.
func (s *servedUnits) left(now time.Time) float64 {
	return math.Floor(max(0, s.charger.Pool.Level(now)))
}

func (s *servedUnits) refusedShare() float64 {
	return float64(s.refused) / float64(s.refused+s.served)
}

func (s *servedUnits) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	s.mu.Lock()
	there, back := time.Duration(20+s.random.IntN(40))*time.Millisecond, time.Duration(20+s.random.IntN(40))*time.Millisecond
	s.mu.Unlock()
	time.Sleep(there)
	resp := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req}
	resp.Header.Set("Content-Type", "application/json")
	s.mu.Lock()
	now, c := time.Now(), s.costOf(req)
	goes := (s.calls == nil || s.calls.Level(now) >= 1) && s.charger.Admit(now, c)
	if goes && s.calls != nil {
		s.calls.Charge(now, 1)
	}
	if !goes {
		s.refused++
		resp.StatusCode = http.StatusTooManyRequests
		body := s.refuse(resp, s)
		s.tell(resp.Header, s, now)
		s.mu.Unlock()
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		time.Sleep(back)
		return resp, nil
	}
	s.mu.Unlock()
	time.Sleep(s.takes)
	s.mu.Lock()
	now = time.Now()
	s.charger.Settle(now, c)
	s.served++
	s.spent += s.charger.Charged(c)
	s.last = c
	s.tell(resp.Header, s, now)
	text := s.answer(s, c)
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	s.mu.Unlock()
	time.Sleep(back)
	return resp, nil
}

// costOf returns what a request costs, however often it is sent.
func (s *servedUnits) costOf(req *http.Request) ratemodel.Cost {
	n, _ := strconv.ParseUint(req.Header.Get("X-Job"), 10, 64)
	return s.cost(rand.New(rand.NewPCG(n, 3)))
}

func even(least, most int) func(r *rand.Rand) ratemodel.Cost {
	return func(r *rand.Rand) ratemodel.Cost {
		return ratemodel.Cost{Prompt: float64(least + r.IntN(most-least+1))}
	}
}

func nothing(*servedUnits, ratemodel.Cost) string { return "{}" }

func set(h http.Header, values ...any) {
	for i := 0; i < len(values); i += 2 {
		h.Set(values[i].(string), fmt.Sprint(values[i+1]))
	}
}

func aligned(length time.Duration) func(float64) ratemodel.Pool {
	return func(limit float64) ratemodel.Pool { return ratemodel.NewFixedPool(limit, length) }
}

func refilled(length time.Duration) func(float64) ratemodel.Pool {
	return func(limit float64) ratemodel.Pool { return ratemodel.NewRefillingPool(limit, length) }
}

// wholeSeconds is how long a client is told to wait.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func chatCost(r *rand.Rand) ratemodel.Cost {
	return ratemodel.Cost{Prompt: float64(20 + r.IntN(120)), Output: math.Ceil(min(1024, 200*r.ExpFloat64())), MaxOutput: 1024}
}

var unitAPIs = map[string]unitAPI{
	"GitHub GraphQL": {
		host: "api.github.com", path: "/graphql", length: 80 * time.Minute, limit: 5000, pool: aligned(time.Hour), takes: 200 * time.Millisecond,
		charging: ratemodel.ChargeKeep, cost: even(1, 50), body: `{"query":"query { viewer { login } }"}`, answer: nothing,
		tell: func(h http.Header, s *servedUnits, now time.Time) {
			set(h, "X-RateLimit-Limit", 5000, "X-RateLimit-Remaining", s.left(now), "X-RateLimit-Used", 5000-s.left(now),
				"X-RateLimit-Reset", now.Add(s.charger.Pool.Full(now)).Unix(), "X-RateLimit-Resource", "graphql", "Date", now.UTC().Format(http.TimeFormat))
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			resp.StatusCode = http.StatusForbidden
			return `{"message":"API rate limit exceeded for user ID 1."}`
		},
	},
	"Shopify":        shopify(20, 200, 200),
	"Shopify, large": shopify(300, 700, 800),
	"Linear": {
		host: "api.linear.app", path: "/graphql", length: 80 * time.Minute, limit: 250_000, pool: refilled(time.Hour), takes: 150 * time.Millisecond,
		charging: ratemodel.ChargeKeep, cost: even(20, 1500), body: `{"query":"{ issues { nodes { id } } }"}`, answer: nothing,
		requests: func() ratemodel.Pool { return ratemodel.NewRefillingPool(2500, time.Hour) },
		tell: func(h http.Header, s *servedUnits, now time.Time) {
			set(h, "X-RateLimit-Requests-Limit", 2500, "X-RateLimit-Requests-Remaining", math.Floor(max(0, s.calls.Level(now))), "X-RateLimit-Requests-Reset", now.Add(s.calls.Full(now)).UnixMilli(),
				"X-RateLimit-Complexity-Limit", 250_000, "X-RateLimit-Complexity-Remaining", s.left(now), "X-RateLimit-Complexity-Reset", now.Add(s.charger.Pool.Full(now)).UnixMilli(),
				"X-Complexity", s.last.Prompt, "Date", now.UTC().Format(http.TimeFormat))
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			resp.StatusCode = http.StatusBadRequest
			return `{"errors":[{"message":"Rate limit exceeded","extensions":{"code":"RATELIMITED","statusCode":429}}]}`
		},
	},
	"monday": {
		host: "api.monday.com", path: "/v2", length: 10 * time.Minute, limit: 1_000_000, pool: aligned(time.Minute), takes: 150 * time.Millisecond,
		charging: ratemodel.ChargeKeep, cost: even(500, 12_000), body: `{"query":"{ complexity { before query after reset_in_x_seconds } }"}`,
		tell: func(http.Header, *servedUnits, time.Time) {},
		answer: func(s *servedUnits, c ratemodel.Cost) string {
			now := time.Now()
			return fmt.Sprintf(`{"data":{"complexity":{"before":%v,"query":%v,"after":%v,"reset_in_x_seconds":%d}}}`, s.left(now)+c.Prompt, c.Prompt, s.left(now), wholeSeconds(s.charger.Pool.Full(now)))
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			wait := wholeSeconds(s.charger.Pool.Full(time.Now()))
			set(resp.Header, "Retry-After", wait)
			return fmt.Sprintf(`{"errors":[{"message":"Complexity budget exhausted, query cost 5000 budget remaining 100 out of 1000000 reset in %d seconds","extensions":{"code":"COMPLEXITY_BUDGET_EXHAUSTED","retry_in_seconds":%d}}]}`, wait, wait)
		},
	},
	"Cosmos DB": {
		host: "acme.documents.azure.com", path: "/dbs/a/colls/b/docs", length: 5 * time.Minute, limit: 400, pool: aligned(time.Second), takes: 10 * time.Millisecond,
		charging: ratemodel.ChargeEnd, answer: nothing,
		cost: func(r *rand.Rand) ratemodel.Cost {
			return ratemodel.Cost{Output: 1 + math.Round(300*r.ExpFloat64())/100*5}
		},
		tell: func(h http.Header, s *servedUnits, now time.Time) { set(h, "X-Ms-Request-Charge", s.last.Output) },
		refuse: func(resp *http.Response, s *servedUnits) string {
			set(resp.Header, "X-Ms-Retry-After-Ms", s.charger.Pool.Full(time.Now()).Milliseconds()+1)
			return `{"code":"429","message":"Request rate is large"}`
		},
	},
	"Binance": {
		host: "api.binance.com", path: "/api/v3/depth", length: 10 * time.Minute, limit: 6000, pool: aligned(time.Minute), takes: 20 * time.Millisecond,
		charging: ratemodel.ChargeKeep, cost: even(5, 50), answer: nothing,
		tell: func(h http.Header, s *servedUnits, now time.Time) {
			set(h, "X-Mbx-Used-Weight-1m", 6000-s.left(now), "X-Mbx-Used-Weight", 6000-s.left(now))
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			set(resp.Header, "Retry-After", wholeSeconds(s.charger.Pool.Full(time.Now())))
			return `{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE."}`
		},
	},
	"Notion": {
		host: "api.notion.com", path: "/v1/pages", length: 10 * time.Minute, limit: 30, pool: refilled(10 * time.Second), takes: 300 * time.Millisecond,
		charging: ratemodel.ChargeKeep, cost: even(1, 1), answer: nothing, tell: func(http.Header, *servedUnits, time.Time) {},
		refuse: func(resp *http.Response, s *servedUnits) string {
			set(resp.Header, "Retry-After", wholeSeconds(s.charger.Pool.Wait(time.Now(), 1)))
			return `{"object":"error","status":429,"code":"rate_limited","message":"You have been rate limited."}`
		},
	},
	"HubSpot": {
		host: "api.hubapi.com", path: "/crm/v3/objects/contacts", length: 10 * time.Minute, limit: 100, takes: 100 * time.Millisecond,
		pool:     func(limit float64) ratemodel.Pool { return ratemodel.NewRollingPool(limit, 10*time.Second) },
		charging: ratemodel.ChargeKeep, cost: even(1, 1), answer: nothing,
		tell: func(h http.Header, s *servedUnits, now time.Time) {
			set(h, "X-HubSpot-RateLimit-Max", 100, "X-HubSpot-RateLimit-Remaining", s.left(now), "X-HubSpot-RateLimit-Interval-Milliseconds", 10_000,
				"X-HubSpot-RateLimit-Daily", 250_000, "X-HubSpot-RateLimit-Daily-Remaining", 250_000-s.served)
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			return `{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}`
		},
	},
	"Groq": {
		host: "api.groq.com", path: "/openai/v1/chat/completions", length: 10 * time.Minute, limit: 12_000, pool: refilled(time.Minute), takes: 500 * time.Millisecond,
		charging: ratemodel.ChargeRefund, cost: chatCost, body: `{"model":"llama-3.3-70b","max_tokens":1024,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 60) + `"}]}`,
		answer: func(_ *servedUnits, c ratemodel.Cost) string {
			return fmt.Sprintf(`{"choices":[],"usage":{"prompt_tokens":%v,"completion_tokens":%v,"total_tokens":%v}}`, c.Prompt, c.Output, c.Prompt+c.Output)
		},
		tell: func(h http.Header, s *servedUnits, now time.Time) {
			set(h, "X-Ratelimit-Limit-Requests", 14_400, "X-Ratelimit-Remaining-Requests", 14_400-s.served%14_000, "X-Ratelimit-Reset-Requests", "6s",
				"X-Ratelimit-Limit-Tokens", 12_000, "X-Ratelimit-Remaining-Tokens", s.left(now), "X-Ratelimit-Reset-Tokens", s.charger.Pool.Full(now).Truncate(10*time.Millisecond))
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			wait := s.charger.Pool.Wait(time.Now(), 1144)
			set(resp.Header, "Retry-After", wholeSeconds(wait))
			return fmt.Sprintf(`{"error":{"message":"Rate limit reached for model llama-3.3-70b on tokens per minute (TPM): Limit 12000, Used 11800, Requested 1144. Please try again in %v.","type":"tokens","code":"rate_limit_exceeded"}}`, wait)
		},
	},
	"Anthropic": {
		host: "api.anthropic.com", path: "/v1/messages", length: 10 * time.Minute, limit: 80_000, pool: refilled(time.Minute), takes: 2 * time.Second,
		charging: ratemodel.ChargeLive, body: `{"model":"claude-sonnet-4-5","max_tokens":4096,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 400) + `"}]}`,
		cost: func(r *rand.Rand) ratemodel.Cost {
			return ratemodel.Cost{Prompt: float64(400 + r.IntN(200)), Output: math.Ceil(min(4096, 500*r.ExpFloat64())), MaxOutput: 4096}
		},
		requests: func() ratemodel.Pool { return ratemodel.NewRefillingPool(1000, time.Minute) },
		answer: func(_ *servedUnits, c ratemodel.Cost) string {
			return fmt.Sprintf(`{"type":"message","content":[],"usage":{"input_tokens":%v,"output_tokens":%v}}`, c.Prompt, c.Output)
		},
		tell: func(h http.Header, s *servedUnits, now time.Time) {
			full := func(p ratemodel.Pool) string { return now.Add(p.Full(now)).UTC().Format(time.RFC3339) }
			set(h, "Anthropic-Ratelimit-Requests-Limit", 1000, "Anthropic-Ratelimit-Requests-Remaining", math.Floor(s.calls.Level(now)), "Anthropic-Ratelimit-Requests-Reset", full(s.calls),
				"Anthropic-Ratelimit-Tokens-Limit", 80_000, "Anthropic-Ratelimit-Tokens-Remaining", math.Round(s.left(now)/1000)*1000, "Anthropic-Ratelimit-Tokens-Reset", full(s.charger.Pool),
				"Date", now.UTC().Format(http.TimeFormat))
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			set(resp.Header, "Retry-After", wholeSeconds(s.charger.Pool.Wait(time.Now(), 600)))
			return `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit of 80,000 tokens per minute."}}`
		},
	},
}

// spend has so many callers do one job after the other until the run is over. A caller whose request was
// refused sends it again a moment later.
func (s *servedUnits) spend(t testing.TB, do func(*http.Request) (*http.Response, error), host string, callers int) {
	ctx, cancel := context.WithTimeout(t.Context(), s.length)
	defer cancel()
	var jobs atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for job := jobs.Add(1); ctx.Err() == nil; {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+host+s.path, strings.NewReader(s.body))
				if !assert.NoError(t, err) {
					return
				}
				req.Header.Set("Authorization", "Bearer key")
				req.Header.Set("X-Job", strconv.FormatInt(job, 10))
				resp, err := do(req)
				if err == nil {
					text, _ := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if resp.StatusCode == http.StatusOK && !strings.Contains(string(text), "THROTTLED") {
						job = jobs.Add(1)
						continue
					}
				}
				select {
				case <-ctx.Done():
				case <-time.After(max(time.Second, s.length/1000)):
				}
			}
		})
	}
	wg.Wait()
}

// Nobody is worse off with forbear than with a client that just retries, where APIs limit something else
// than requests: neither where package cost knows the host, nor where all has to be learned. Of three
// draws the middle one counts.
func TestNoUnitAPIIsWorseThanRetries(t *testing.T) {
	t.Parallel()
	for name, api := range unitAPIs {
		for _, host := range []string{api.host, "api.unknown.example"} {
			t.Run(name+"/"+host, func(t *testing.T) {
				t.Parallel()
				chance.Bubble(t, func(t testing.TB) {
					time.Sleep(17 * time.Second) // windows of the clock are under way
					plain := newServedUnits(api, 1)
					rc := retryablehttp.NewClient()
					rc.Logger, rc.HTTPClient = nil, &http.Client{Transport: plain}
					plain.spend(t, rc.StandardClient().Do, host, 10)

					ours := newServedUnits(api, 1)
					transport, err := client.NewTransport(ours)
					require.NoError(t, err)
					defer transport.Close()
					ours.spend(t, transport.RoundTrip, host, 10)
					t.Logf("%s, %s: served %d and not %d, spent %.3f of what retries spent, refused %d and not %d", name, host, ours.served, plain.served, ours.spent/plain.spent, ours.refused, plain.refused)
					assert.GreaterOrEqual(t, ours.spent/plain.spent, 0.95)
					assert.LessOrEqual(t, ours.refusedShare()-plain.refusedShare(), 0.06)
				})
			})
		}
	}
}

// shopify is Shopify's API for queries of at least so many points, and of fewer than that and more; its refusals
// say that a query asked for so many.
func shopify(least, more, asked int) unitAPI {
	return unitAPI{
		host: "shop.myshopify.com", path: "/admin/api/2026-01/graphql.json", length: 10 * time.Minute, limit: 2000, takes: 150 * time.Millisecond,
		pool: refilled(20 * time.Second), charging: ratemodel.ChargeRefund, body: `{"query":"{ products(first: 50) { id } }"}`,
		cost: func(r *rand.Rand) ratemodel.Cost {
			n := float64(least + r.IntN(more))
			return ratemodel.Cost{Output: math.Ceil(n * (0.3 + 0.7*r.Float64())), MaxOutput: n}
		},
		tell: func(http.Header, *servedUnits, time.Time) {},
		answer: func(s *servedUnits, c ratemodel.Cost) string {
			return fmt.Sprintf(`{"data":{},"extensions":{"cost":{"requestedQueryCost":%v,"actualQueryCost":%v,"throttleStatus":`+
				`{"maximumAvailable":2000.0,"currentlyAvailable":%v,"restoreRate":100.0}}}}`, c.MaxOutput, c.Output, s.left(time.Now()))
		},
		refuse: func(resp *http.Response, s *servedUnits) string {
			resp.StatusCode = http.StatusOK
			return fmt.Sprintf(`{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":%d,`+
				`"actualQueryCost":null,"throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":%v,"restoreRate":100.0}}}}`, asked, s.left(time.Now()))
		},
	}
}
