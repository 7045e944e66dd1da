package client_test

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// An llmDialect is how an API of language models tells its limits.
type llmDialect struct {
	host   string
	path   string // with a %s for the model, if it is not in the body
	most   string // the member that bounds the output
	input  bool   // the limit counts input alone
	tell   func(h http.Header, requests, tokens ratemodel.Pool, now time.Time)
	refuse func(h http.Header, wait time.Duration, calls bool) string // for want of calls, or of tokens
	usage  string                                                     // of prompt, output, cached and all
}

const openaiUsage = `{"choices":[],"usage":{"prompt_tokens":%[1]v,"completion_tokens":%[2]v,"total_tokens":%[4]v,"prompt_tokens_details":{"cached_tokens":%[3]v}}}`

func tellOpenAI(h http.Header, requests, tokens ratemodel.Pool, now time.Time) {
	for name, p := range map[string]ratemodel.Pool{"Requests": requests, "Tokens": tokens} {
		set(h, "X-Ratelimit-Limit-"+name, p.Limit(), "X-Ratelimit-Remaining-"+name, math.Floor(max(0, p.Level(now))),
			"X-Ratelimit-Reset-"+name, p.Full(now).Truncate(time.Millisecond))
	}
}

func refuseOpenAI(h http.Header, wait time.Duration, calls bool) string {
	what := "tokens"
	if calls {
		what = "requests"
	}
	set(h, "Retry-After", wholeSeconds(wait), "Retry-After-Ms", wait.Milliseconds()+1)
	return fmt.Sprintf(`{"error":{"message":"Rate limit reached on %[1]s per min. Please try again in %[2]v.","type":%[1]q,"code":"rate_limit_exceeded"}}`, what, wait.Truncate(time.Millisecond))
}

var llmDialects = map[string]llmDialect{
	"openai":  {host: "api.openai.com", path: "/v1/chat/completions", most: "max_tokens", tell: tellOpenAI, refuse: refuseOpenAI, usage: openaiUsage},
	"unknown": {host: "llm.example.com", path: "/v1/chat/completions", most: "max_tokens", tell: tellOpenAI, refuse: refuseOpenAI, usage: openaiUsage},
	"azure": {
		host: "acme.openai.azure.com", path: "/openai/deployments/%s/chat/completions", most: "max_tokens", usage: openaiUsage,
		tell: func(h http.Header, requests, tokens ratemodel.Pool, now time.Time) {
			set(h, "X-Ratelimit-Remaining-Requests", math.Floor(requests.Level(now)), "X-Ratelimit-Remaining-Tokens", math.Floor(max(0, tokens.Level(now))),
				"X-Ratelimit-Limit-Requests", requests.Limit(), "X-Ratelimit-Limit-Tokens", tokens.Limit())
		},
		refuse: func(h http.Header, wait time.Duration, _ bool) string {
			set(h, "Retry-After", wholeSeconds(wait))
			return `{"error":{"code":"429","message":"Requests have exceeded the token rate limit of your current tier."}}`
		},
	},
	"anthropic": {
		host: "api.anthropic.com", path: "/v1/messages", most: "max_tokens",
		tell: func(h http.Header, requests, tokens ratemodel.Pool, now time.Time) {
			full := func(p ratemodel.Pool) string { return now.Add(p.Full(now) + time.Second).UTC().Format(time.RFC3339) }
			set(h, "Anthropic-Ratelimit-Requests-Limit", requests.Limit(), "Anthropic-Ratelimit-Requests-Remaining", math.Floor(requests.Level(now)), "Anthropic-Ratelimit-Requests-Reset", full(requests),
				"Anthropic-Ratelimit-Tokens-Limit", tokens.Limit(), "Anthropic-Ratelimit-Tokens-Remaining", math.Round(max(0, tokens.Level(now))/1000)*1000, "Anthropic-Ratelimit-Tokens-Reset", full(tokens))
		},
		refuse: func(h http.Header, wait time.Duration, _ bool) string {
			set(h, "Retry-After", wholeSeconds(wait))
			return `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit."}}`
		},
		usage: `{"type":"message","usage":{"input_tokens":%[1]v,"output_tokens":%[2]v,"cache_read_input_tokens":%[3]v}}`,
	},
	"gemini": {
		host: "generativelanguage.googleapis.com", path: "/v1beta/models/%s:generateContent", most: "maxOutputTokens", input: true,
		tell: func(http.Header, ratemodel.Pool, ratemodel.Pool, time.Time) {},
		refuse: func(_ http.Header, wait time.Duration, calls bool) string {
			quota := "GenerateContentInputTokensPerModelPerMinute"
			if calls {
				quota = "GenerateRequestsPerMinutePerProjectPerModel"
			}
			return fmt.Sprintf(`{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":%q}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"%ds"}]}}`, quota, wholeSeconds(wait))
		},
		usage: `{"candidates":[],"usageMetadata":{"promptTokenCount":%[1]v,"candidatesTokenCount":%[2]v,"cachedContentTokenCount":%[3]v,"totalTokenCount":%[4]v}}`,
	},
	"bedrock": {
		host: "bedrock-runtime.us-east-1.amazonaws.com", path: "/model/%s/invoke", most: "max_tokens",
		tell: func(http.Header, ratemodel.Pool, ratemodel.Pool, time.Time) {},
		refuse: func(h http.Header, _ time.Duration, _ bool) string {
			set(h, "X-Amzn-Errortype", "ThrottlingException")
			return `{"message":"Too many tokens, please wait before trying again."}`
		},
		usage: `{"usage":{"input_tokens":%[1]v,"output_tokens":%[2]v,"cache_read_input_tokens":%[3]v}}`,
	},
}

// llmServer is a server of an llmWorld.
type llmServer struct {
	llmWorld
	llmDialect

	mu              sync.Mutex
	random          *rand.Rand
	tokens          map[string]*ratemodel.Charger
	requests        map[string]ratemodel.Pool
	served, refused int
	charged         float64 // what the server charged for it
}

func newLLMServer(w llmWorld) *llmServer {
	return &llmServer{
		llmWorld: w, llmDialect: llmDialects[w.dialect], random: rand.New(rand.NewPCG(w.seed, 1)),
		tokens: map[string]*ratemodel.Charger{}, requests: map[string]ratemodel.Pool{},
	}
}

// possible returns what the limits allow in a run. Debt that is forgotten where a window opens allows more.
func (s *llmServer) possible() float64 {
	pools := 1
	if s.models > 1 && !s.shared {
		pools = 2
	}
	return float64(pools) * s.limit * (s.run.Minutes() + 1)
}

func (s *llmServer) trip() {
	s.mu.Lock()
	d := time.Duration(15+s.random.IntN(30)) * time.Millisecond
	s.mu.Unlock()
	time.Sleep(d)
}

// A call is what a request is to the server.
func (s *llmServer) call(req *http.Request) (job int, model string, c, charged ratemodel.Cost) {
	job, _ = strconv.Atoi(req.Header.Get("X-Job"))
	c = s.cost(job)
	charged = c
	charged.Prompt -= s.cached(c)
	if s.input {
		charged.Output, charged.MaxOutput = 0, 0
	}
	model = s.model(job)
	if s.shared {
		model = s.model(0)
	}
	if s.tokens[model] == nil {
		s.tokens[model] = &ratemodel.Charger{Pool: s.pool(s.limit, time.Minute), Charging: s.charging, Factor: s.factor}
		s.requests[model] = s.pool(s.calls, time.Minute)
	}
	return job, model, c, charged
}

func (s *llmServer) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, req.Body)
	_ = req.Body.Close()
	s.trip()
	s.mu.Lock()
	_, model, c, charged := s.call(req)
	now, tokens, requests := time.Now(), s.tokens[model], s.requests[model]
	resp := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, ContentLength: -1}
	resp.Header.Set("Content-Type", "application/json")
	if requests.Level(now) < 1 || !tokens.Admit(now, charged) {
		s.refused++
		resp.StatusCode = http.StatusTooManyRequests
		text := s.refuse(resp.Header, max(requests.Wait(now, 1), tokens.Pool.Wait(now, tokens.Need(charged))), requests.Level(now) < 1)
		s.tell(resp.Header, requests, tokens.Pool, now)
		resp.Body = io.NopCloser(strings.NewReader(text))
		s.mu.Unlock()
		s.trip()
		return resp, nil
	}
	requests.Charge(now, 1)
	finish := func() {
		tokens.Settle(time.Now(), charged)
		s.served++
		s.charged += tokens.Charged(charged)
	}
	takes := 200*time.Millisecond + time.Duration(c.Output*float64(s.each))
	text := fmt.Sprintf(s.usage, c.Prompt-s.cached(c), c.Output, s.cached(c), c.Prompt+c.Output)
	if s.dialect != "anthropic" && s.dialect != "bedrock" {
		text = fmt.Sprintf(s.usage, c.Prompt, c.Output, s.cached(c), c.Prompt+c.Output)
	}
	if s.stream {
		resp.Header.Set("Content-Type", "text/event-stream")
		s.tell(resp.Header, requests, tokens.Pool, now)
		resp.Body = &slowBody{rest: strings.NewReader("data: {\"choices\":[]}\n\ndata: " + text + "\n\ndata: [DONE]\n\n"), takes: takes, over: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			finish()
		}}
		s.mu.Unlock()
		s.trip()
		return resp, nil
	}
	s.mu.Unlock()
	time.Sleep(takes)
	s.mu.Lock()
	finish()
	s.tell(resp.Header, requests, tokens.Pool, time.Now())
	resp.Body = io.NopCloser(strings.NewReader(text))
	s.mu.Unlock()
	s.trip()
	return resp, nil
}
