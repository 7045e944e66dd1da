package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
)

// chatAPI is an API that limits requests and tokens a minute, for each model, and streams if asked to.
type chatAPI struct {
	mu       sync.Mutex
	charging ratemodel.Charging
	random   *rand.Rand
	limits   map[string]float64 // tokens a minute of a model
	pools    map[string]*ratemodel.Charger
	requests map[string]ratemodel.Pool
	least    time.Duration // a response takes
	pool     func(limit float64, length time.Duration) ratemodel.Pool
	shared   bool // one pool is for all models

	served, refused int
	charged         float64
	bodies          []string
}

func newChatAPI(charging ratemodel.Charging, limits map[string]float64) *chatAPI {
	return &chatAPI{
		charging: charging, limits: limits, random: rand.New(rand.NewPCG(1, 2)),
		pools: map[string]*ratemodel.Charger{}, requests: map[string]ratemodel.Pool{}, least: 200 * time.Millisecond,
		pool: ratemodel.NewRefillingPool,
	}
}

// trip is how long one way takes.
func (s *chatAPI) trip() {
	s.mu.Lock()
	d := time.Duration(15+s.random.IntN(20)) * time.Millisecond
	s.mu.Unlock()
	time.Sleep(d)
}

func (s *chatAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.serve(req)
	s.trip()
	return resp, err
}

func (s *chatAPI) serve(req *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	model := "big"
	if bytes.Contains(text, []byte(`"model":"small"`)) {
		model = "small"
	}
	s.trip()
	if s.shared {
		model = "big"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, string(text))
	now := time.Now()
	if s.pools[model] == nil {
		s.pools[model] = &ratemodel.Charger{Pool: s.pool(s.limits[model], time.Minute), Charging: s.charging}
		s.requests[model] = s.pool(600, time.Minute)
	}
	tokens, requests := s.pools[model], s.requests[model]
	used := ratemodel.Cost{Prompt: math.Ceil(float64(len(text)) / 4), MaxOutput: 2048}
	used.Output = math.Ceil(min(used.MaxOutput, math.Exp(5+s.random.NormFloat64())))
	resp := &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, ContentLength: -1}
	if requests.Level(now) < 1 || !tokens.Admit(now, used) {
		s.refused++
		resp.StatusCode = 429
		resp.Header.Set("Retry-After", "2")
		s.tell(resp.Header, model, now)
		resp.Body = io.NopCloser(strings.NewReader(`{"error":{"message":"Rate limit reached on tokens per min (TPM)","code":"rate_limit_exceeded"}}`))
		return resp, nil
	}
	s.served++
	s.charged += tokens.Charged(used)
	requests.Charge(now, 1)
	takes := s.least + time.Duration(used.Output)*10*time.Millisecond
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":%v,"completion_tokens":%v,"total_tokens":%v}`, used.Prompt, used.Output, used.Prompt+used.Output)
	finish := func() { tokens.Settle(time.Now(), used) }
	if bytes.Contains(text, []byte(`"stream":true`)) {
		resp.Header.Set("Content-Type", "text/event-stream")
		s.tell(resp.Header, model, now)
		resp.Body = &slowBody{rest: strings.NewReader("data: {\"choices\":[]}\n\ndata: {" + usage + "}\n\ndata: [DONE]\n\n"), takes: takes, over: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			finish()
		}}
		return resp, nil
	}
	s.mu.Unlock()
	time.Sleep(takes)
	s.mu.Lock()
	finish()
	resp.Header.Set("Content-Type", "application/json")
	s.tell(resp.Header, model, time.Now())
	resp.Body = io.NopCloser(strings.NewReader(`{"choices":[],` + usage + `}`))
	return resp, nil
}

func (s *chatAPI) tell(h http.Header, model string, now time.Time) {
	for name, p := range map[string]ratemodel.Pool{"Requests": s.requests[model], "Tokens": s.pools[model].Pool} {
		h.Set("X-Ratelimit-Limit-"+name, fmt.Sprint(p.Limit()))
		h.Set("X-Ratelimit-Remaining-"+name, fmt.Sprintf("%.0f", math.Floor(max(0, p.Level(now)))))
		h.Set("X-Ratelimit-Reset-"+name, p.Full(now).Truncate(time.Millisecond).String())
	}
}

// slowBody takes a while, and tells when it is over.
type slowBody struct {
	rest  io.Reader
	takes time.Duration
	over  func()
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.takes > 0 {
		time.Sleep(b.takes)
		b.takes = 0
		b.over()
	}
	return b.rest.Read(p)
}

func (b *slowBody) Close() error { return nil }

func chatRequest(ctx context.Context, t testing.TB, url, model string, size int, stream bool) *http.Request {
	body := fmt.Sprintf(`{"model":%q,"max_tokens":2048,"stream":%t,"messages":[{"role":"user","content":%q}]}`, model, stream, strings.Repeat("word ", size/5))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer key")
	return req
}

const chatURL = "https://api.openai.com/v1/chat/completions"

// converse has so many callers send requests for a while, each when its last was answered.
func converse(t testing.TB, tr http.RoundTripper, callers int, d time.Duration, stream func(i int) bool, model func(i int) string) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				resp, err := tr.RoundTrip(chatRequest(ctx, t, chatURL, model(i), 200+100*(i%8), stream(i)))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
}

// Nothing is configured: limits are in the responses, and costs in the bodies.
func TestTokensAreSpentWithoutARefusal(t *testing.T) {
	figures(t)
	for name, stream := range map[string]func(int) bool{
		"whole":    func(int) bool { return false },
		"streamed": func(int) bool { return true },
		"both":     func(i int) bool { return i%2 == 0 },
	} {
		for _, charging := range []ratemodel.Charging{ratemodel.ChargeEnd, ratemodel.ChargeRefund, ratemodel.ChargeKeep, ratemodel.ChargeLive} {
			t.Run(fmt.Sprintf("%s/%d", name, charging), func(t *testing.T) {
				chance.Bubble(t, func(t testing.TB) {
					api := newChatAPI(charging, map[string]float64{"big": 90_000})
					tr, err := client.NewTransport(api)
					require.NoError(t, err)
					defer tr.Close()
					converse(t, tr, 20, 10*time.Minute, stream, func(int) string { return "big" })
					used := api.charged / (90_000 * 11)
					t.Logf("served %d, refused %d, used %.1f %%", api.served, api.refused, 100*used)
					assert.LessOrEqual(t, float64(api.refused), 3+0.02*float64(api.served))
					assert.Greater(t, used, 0.9)
				})
			})
		}
	}
}

// Two models of one path have limits of their own, and one that has nothing left does not keep the other.
func TestModelsFindTheirLimits(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		api := newChatAPI(ratemodel.ChargeEnd, map[string]float64{"big": 90_000, "small": 30_000})
		tr, err := client.NewTransport(api)
		require.NoError(t, err)
		defer tr.Close()
		converse(t, tr, 30, 10*time.Minute, func(int) bool { return false }, func(i int) string { return []string{"big", "small"}[i%2] })
		used := api.charged / (120_000 * 11)
		t.Logf("served %d, refused %d, used %.1f %%", api.served, api.refused, 100*used)
		assert.LessOrEqual(t, float64(api.refused), 0.005*float64(api.served))
		assert.Greater(t, used, 0.85)
	})
}

func TestACostThatNoWindowAllowsIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newChatAPI(ratemodel.ChargeEnd, map[string]float64{"big": 90_000})
		tr, err := client.NewTransport(api)
		require.NoError(t, err)
		defer tr.Close()
		send := func(ctx context.Context) error {
			resp, err := tr.RoundTrip(chatRequest(ctx, t, chatURL, "big", 100, false))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			return err
		}
		require.NoError(t, send(t.Context()))
		err = send(client.WithUnits(t.Context(), cost.Tokens(90_001)))
		tooMuch, ok := errors.AsType[*queue.CostError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, queue.CostError{Limit: "tokens", Cost: 90_001, Max: 90_000}, *tooMuch)
		assert.Equal(t, 1, api.served)
		require.NoError(t, send(client.WithUnits(t.Context(), cost.Tokens(1000))))
		for range 20 {
			require.NoError(t, send(client.WithCost(t.Context(), 100)), "those are requests")
		}
	})
}

// The body is sent as it is, and what is read of it is a copy.
func TestCostsAreReadFromACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newChatAPI(ratemodel.ChargeEnd, map[string]float64{"big": 90_000})
		tr, err := client.NewTransport(api)
		require.NoError(t, err)
		defer tr.Close()
		req := chatRequest(t.Context(), t, chatURL, "big", 3000, true)
		req.GetBody = nil // what cannot be had twice is not looked at
		want := chatRequest(t.Context(), t, chatURL, "big", 3000, true)
		text, err := io.ReadAll(want.Body)
		require.NoError(t, err)
		for _, req := range []*http.Request{req, chatRequest(t.Context(), t, chatURL, "big", 3000, true)} {
			resp, err := tr.RoundTrip(req)
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.True(t, strings.HasPrefix(string(got), "data: {\"choices\":[]}\n\ndata: {\"usage\"") && strings.HasSuffix(string(got), "data: [DONE]\n\n"))
		}
		assert.Equal(t, []string{string(text), string(text)}, api.bodies)
	})
}

// A host that package cost does not know: a rule of the program's own.
func TestAnAPIOfOnesOwn(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		own := *cost.Named("openai")
		own.Hosts = []string{"llm.internal"}
		api := newChatAPI(ratemodel.ChargeRefund, map[string]float64{"big": 90_000})
		tr, err := client.NewTransport(api, client.WithCosts(&own))
		require.NoError(t, err)
		defer tr.Close()
		var wg sync.WaitGroup
		for range 60 {
			wg.Go(func() {
				resp, err := tr.RoundTrip(chatRequest(t.Context(), t, "https://llm.internal/v1/chat/completions", "big", 100, true))
				if assert.NoError(t, err) {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, api.refused, 3)
	})
}

func TestAnAPIWithoutHostsIsAnError(t *testing.T) {
	for _, api := range []*cost.API{nil, {Name: "own"}} {
		_, err := client.NewTransport(nil, client.WithCosts(api))
		assert.Error(t, err)
	}
}

// A cost above the limit of requests is meant in the units that the API counts too, whether
// package cost knows the API or not.
func TestACostAboveTheLimitOfRequestsIsMeantInUnits(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"api.openai.com", "api.unknown.example"} {
		synctest.Test(t, func(t *testing.T) {
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				h := http.Header{}
				for name, value := range map[string]string{
					"limit-requests": "500", "remaining-requests": "499", "limit-tokens": "30000", "remaining-tokens": "20000",
				} {
					h.Set("X-RateLimit-"+name, value)
				}
				return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: http.NoBody, Request: req}, nil
			})
			transport, err := client.NewTransport(base)
			require.NoError(t, err)
			defer transport.Close()
			spend := func(n int) error {
				req, err := http.NewRequestWithContext(client.WithCost(t.Context(), n), http.MethodPost, "https://"+host+"/v1", http.NoBody)
				require.NoError(t, err)
				resp, err := transport.RoundTrip(req)
				if err == nil {
					err = resp.Body.Close()
				}
				return err
			}
			require.NoError(t, spend(1), host)
			require.NoError(t, spend(2000), host)
			var tooMuch *queue.CostError
			require.ErrorAs(t, spend(30_001), &tooMuch, host)
			require.Equal(t, "tokens", tooMuch.Limit, host)
		})
	}
}
