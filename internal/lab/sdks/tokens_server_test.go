package sdks

import (
	"encoding/json"
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

// A tokenServer plays an API that limits tokens a minute: it is the base transport of an SDK.
// Its responses take as long as what they produce, and come as a stream if asked to.
type tokenServer struct {
	// say writes what responses tell of the limits; the server is locked.
	say func(s *tokenServer, h http.Header, now time.Time)
	// whole is the body of a response with a text of so many tokens, events its stream.
	whole, events func(c ratemodel.Cost, text string) []string
	// refusal is the body of a 429.
	refusal string

	mu              sync.Mutex // guards the fields below
	random          *rand.Rand
	input           *ratemodel.Charger // nil if output counts with it
	tokens          *ratemodel.Charger
	served, refused int
	charged         float64 // of tokens
}

// RoundTrip implements http.RoundTripper.
func (s *tokenServer) RoundTrip(req *http.Request) (*http.Response, error) {
	var asked struct {
		Stream    bool  `json:"stream"`
		MaxTokens int64 `json:"max_tokens"`
		MaxOutput int64 `json:"max_completion_tokens"`
	}
	text, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err == nil {
		err = json.Unmarshal(text, &asked)
	}
	if err != nil {
		return nil, err
	}
	s.trip()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := ratemodel.Cost{Prompt: math.Ceil(float64(len(text)) / 4), MaxOutput: float64(asked.MaxTokens + asked.MaxOutput)}
	c.Output = math.Ceil(min(c.MaxOutput, math.Exp(5+s.random.NormFloat64())))
	resp := &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}},
	}
	if !s.admit(time.Now(), c) {
		s.refused++
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", strconv.FormatInt(max(1, up(s.wait(time.Now(), c))), 10))
		s.say(s, resp.Header, time.Now())
		resp.Body = io.NopCloser(strings.NewReader(s.refusal))
		return resp, nil
	}
	s.served++
	answer := fmt.Sprintf("%v tokens", c.Output)
	takes := 200*time.Millisecond + time.Duration(c.Output)*10*time.Millisecond
	if asked.Stream {
		resp.Header.Set("Content-Type", "text/event-stream; charset=utf-8")
		s.say(s, resp.Header, time.Now())
		r, w := io.Pipe()
		resp.Body = r
		go s.stream(w, s.events(c, answer), takes, c)
		return resp, nil
	}
	s.mu.Unlock()
	time.Sleep(takes)
	s.mu.Lock()
	s.settle(time.Now(), c)
	s.say(s, resp.Header, time.Now())
	resp.Body = io.NopCloser(strings.NewReader(strings.Join(s.whole(c, answer), "")))
	return resp, nil
}

// stream sends events, the last of them when the response is complete.
func (s *tokenServer) stream(w *io.PipeWriter, events []string, takes time.Duration, c ratemodel.Cost) {
	for i, e := range events {
		if i == len(events)-1 {
			s.mu.Lock()
			s.settle(time.Now(), c)
			s.mu.Unlock()
		} else {
			time.Sleep(takes / time.Duration(len(events)-1))
		}
		if _, err := io.WriteString(w, e); err != nil {
			break // the client has gone
		}
	}
	_ = w.Close()
}

func (s *tokenServer) admit(now time.Time, c ratemodel.Cost) bool {
	if s.input == nil {
		return s.tokens.Admit(now, c)
	}
	in, out := ratemodel.Cost{Prompt: c.Prompt}, ratemodel.Cost{MaxOutput: c.MaxOutput}
	if s.tokens.Pool.Level(now) <= 0 || !s.input.Admit(now, in) {
		return false
	}
	return s.tokens.Admit(now, out)
}

func (s *tokenServer) settle(now time.Time, c ratemodel.Cost) {
	if s.input != nil {
		c.Prompt = 0 // was charged before
	}
	s.tokens.Settle(now, c)
	s.charged += s.tokens.Charged(c)
}

// wait returns how long it takes until a request that is refused now could be served.
func (s *tokenServer) wait(now time.Time, c ratemodel.Cost) time.Duration {
	if s.input == nil {
		return s.tokens.Pool.Wait(now, s.tokens.Need(c))
	}
	return max(s.input.Pool.Wait(now, c.Prompt), s.tokens.Pool.Wait(now, 1))
}

// trip is how long one way takes.
func (s *tokenServer) trip() {
	s.mu.Lock()
	d := time.Duration(15+s.random.IntN(20)) * time.Millisecond
	s.mu.Unlock()
	time.Sleep(d)
}

func chatCompletions(charging ratemodel.Charging) *tokenServer {
	usage := func(c ratemodel.Cost) string {
		return fmt.Sprintf(`{"prompt_tokens":%v,"completion_tokens":%v,"total_tokens":%v}`, c.Prompt, c.Output, c.Prompt+c.Output)
	}
	return &tokenServer{
		random: rand.New(rand.NewPCG(1, 2)),
		tokens: &ratemodel.Charger{Pool: ratemodel.NewRefillingPool(90_000, time.Minute), Charging: charging},
		say: func(s *tokenServer, h http.Header, now time.Time) {
			h.Set("X-Ratelimit-Limit-Requests", "5000")
			h.Set("X-Ratelimit-Remaining-Requests", "4999")
			h.Set("X-Ratelimit-Reset-Requests", "12ms")
			h.Set("X-Ratelimit-Limit-Tokens", "90000")
			h.Set("X-Ratelimit-Remaining-Tokens", remaining(s.tokens.Pool, now, 1))
			h.Set("X-Ratelimit-Reset-Tokens", s.tokens.Pool.Full(now).Truncate(time.Millisecond).String())
		},
		whole: func(c ratemodel.Cost, text string) []string {
			return []string{`{"object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"` +
				text + `"}}],"usage":` + usage(c) + `}`}
		},
		events: func(c ratemodel.Cost, text string) []string {
			chunk := func(choices, usage string) string {
				return `data: {"object":"chat.completion.chunk","choices":[` + choices + `],"usage":` + usage + "}\n\n"
			}
			return []string{
				chunk(`{"index":0,"delta":{"role":"assistant","content":""}}`, "null"),
				chunk(`{"index":0,"delta":{"content":"`+text+`"}}`, "null"),
				chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`, "null"),
				chunk("", usage(c)) + "data: [DONE]\n\n",
			}
		},
		refusal: `{"error":{"message":"Rate limit reached for gpt on tokens per min (TPM)","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`,
	}
}

func anthropicMessages() *tokenServer {
	return &tokenServer{
		random: rand.New(rand.NewPCG(1, 2)),
		input:  &ratemodel.Charger{Pool: ratemodel.NewRefillingPool(200_000, time.Minute), Charging: ratemodel.ChargeKeep},
		tokens: &ratemodel.Charger{Pool: ratemodel.NewRefillingPool(60_000, time.Minute), Charging: ratemodel.ChargeLive},
		say: func(s *tokenServer, h http.Header, now time.Time) {
			h.Set("Anthropic-Ratelimit-Requests-Limit", "4000")
			h.Set("Anthropic-Ratelimit-Requests-Remaining", "3999")
			h.Set("Anthropic-Ratelimit-Requests-Reset", upTo(now).UTC().Format(time.RFC3339))
			for name, p := range map[string]ratemodel.Pool{"Input": s.input.Pool, "Output": s.tokens.Pool} {
				h.Set("Anthropic-Ratelimit-"+name+"-Tokens-Limit", fmt.Sprint(p.Limit()))
				h.Set("Anthropic-Ratelimit-"+name+"-Tokens-Remaining", remaining(p, now, 1000))
				h.Set("Anthropic-Ratelimit-"+name+"-Tokens-Reset", upTo(now.Add(p.Full(now))).UTC().Format(time.RFC3339))
			}
		},
		whole: func(c ratemodel.Cost, text string) []string {
			return []string{fmt.Sprintf(`{"type":"message","role":"assistant","stop_reason":"end_turn","content":[{"type":"text","text":%q}],"usage":{"input_tokens":%v,"output_tokens":%v}}`,
				text, c.Prompt, c.Output)}
		},
		events: func(c ratemodel.Cost, text string) []string {
			return []string{
				event("message_start", `"message":{"type":"message","role":"assistant","content":[],"usage":{"input_tokens":%v,"output_tokens":1}}`, c.Prompt),
				event("content_block_start", `"index":0,"content_block":{"type":"text","text":""}`),
				event("content_block_delta", `"index":0,"delta":{"type":"text_delta","text":%q}`, text),
				event("content_block_stop", `"index":0`),
				event("message_delta", `"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":%v}`, c.Output) + event("message_stop", `"end":true`),
			}
		},
		refusal: `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed the rate limit of output tokens per minute."}}`,
	}
}

func event(kind, format string, args ...any) string {
	return "event: " + kind + "\ndata: {\"type\":\"" + kind + "\"," + fmt.Sprintf(format, args...) + "}\n\n"
}

// remaining is what is left, rounded as the server does.
func remaining(p ratemodel.Pool, now time.Time, round float64) string {
	return strconv.FormatFloat(math.Round(max(0, p.Level(now))/round)*round, 'f', 0, 64)
}
