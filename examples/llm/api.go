package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// An api completes chats. It limits requests and tokens a minute, as OpenAI does:
// a request is charged for its prompt and max_tokens when it comes, and given back
// what it did not use when its response is complete.
type api struct {
	minute time.Duration // how long one lasts
	speed  time.Duration // of a token of output

	mu       sync.Mutex
	requests ratemodel.Pool
	tokens   ratemodel.Charger
	counts   counts
}

// counts is what became of requests.
type counts struct {
	served, refused int
	tokens          float64 // that were charged in the end
}

func newAPI(requests, tokens float64, minute, speed time.Duration) *api {
	return &api{
		minute: minute, speed: speed,
		requests: ratemodel.NewRefillingPool(requests, minute),
		tokens:   ratemodel.Charger{Pool: ratemodel.NewRefillingPool(tokens, minute), Charging: ratemodel.ChargeRefund},
	}
}

func (a *api) counted() counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.counts
}

// A chat is what a request asks for.
type chat struct {
	Model    string `json:"model"`
	Messages []struct {
		Content string `json:"content"`
	} `json:"messages"`
	MaxTokens int  `json:"max_tokens"`
	Stream    bool `json:"stream"`
}

// cost returns what a chat costs: a token for four characters that come, and as many
// that go as the prompt's length makes likely.
func (c *chat) cost() ratemodel.Cost {
	characters := 0
	for _, m := range c.Messages {
		characters += len(m.Content)
	}
	prompt := math.Ceil(float64(characters) / 4)
	output := float64(20 + (characters*characters/7)%max(1, c.MaxTokens/2-20))
	return ratemodel.Cost{Prompt: prompt, Output: min(output, float64(c.MaxTokens)), MaxOutput: float64(c.MaxTokens)}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c chat
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&c); err != nil || c.MaxTokens < 1 {
		http.Error(w, `{"error":{"message":"messages and max_tokens are required"}}`, http.StatusBadRequest)
		return
	}
	cost := c.cost()
	if !a.admit(w, cost) {
		return
	}
	if c.Stream {
		a.stream(w, r, cost)
		return
	}
	whole := pause(r, time.Duration(cost.Output)*a.speed)
	a.settle(cost)
	if !whole {
		return
	}
	a.mu.Lock()
	a.tell(w.Header())
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"object":"chat.completion","choices":[{"message":{"role":"assistant","content":%q}}],"usage":%s}`,
		strings.Repeat("word ", int(cost.Output)), usage(cost))
}

// stream sends a response word by word; its header comes first, its usage last.
func (a *api) stream(w http.ResponseWriter, r *http.Request, cost ratemodel.Cost) {
	defer a.settle(cost)
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for range int(cost.Output) {
		_, err := fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{\"content\":\"word \"}}],\"usage\":null}\n\n")
		if err != nil || out.Flush() != nil || !pause(r, a.speed) {
			return // the caller has gone away
		}
	}
	_, _ = fmt.Fprintf(w, "data: {\"choices\":[],\"usage\":%s}\n\ndata: [DONE]\n\n", usage(cost))
}

func usage(c ratemodel.Cost) string {
	return fmt.Sprintf(`{"prompt_tokens":%.0f,"completion_tokens":%.0f,"total_tokens":%.0f}`, c.Prompt, c.Output, c.Prompt+c.Output)
}

// admit charges a request or refuses it; a refusal costs a request, too.
func (a *api) admit(w http.ResponseWriter, cost ratemodel.Cost) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	kind, wait := "requests", a.requests.Wait(now, 1)
	if wait == 0 {
		a.requests.Charge(now, 1)
		kind, wait = "tokens", a.tokens.Pool.Wait(now, a.tokens.Need(cost))
		if a.tokens.Admit(now, cost) {
			a.tell(w.Header())
			return true
		}
	}
	a.counts.refused++
	a.tell(w.Header())
	w.Header().Set("Retry-After-Ms", strconv.FormatInt(wait.Milliseconds()+1, 10))
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = fmt.Fprintf(w, `{"error":{"message":"Rate limit reached for %s per min","type":%q,"code":"rate_limit_exceeded"}}`, kind, kind)
	return false
}

func (a *api) settle(cost ratemodel.Cost) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens.Settle(time.Now(), cost)
	a.counts.served++
	a.counts.tokens += a.tokens.Charged(cost)
}

// tell says what is left, as OpenAI does. The caller holds a.mu.
func (a *api) tell(h http.Header) {
	now := time.Now()
	for kind, p := range map[string]ratemodel.Pool{"Requests": a.requests, "Tokens": a.tokens.Pool} {
		h.Set("X-Ratelimit-Limit-"+kind, strconv.FormatFloat(p.Limit(), 'f', 0, 64))
		h.Set("X-Ratelimit-Remaining-"+kind, strconv.FormatFloat(math.Floor(max(0, p.Level(now))), 'f', 0, 64))
		h.Set("X-Ratelimit-Reset-"+kind, p.Full(now).Round(time.Millisecond).String())
	}
}

// pause waits, and reports whether the caller is still there.
func pause(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
