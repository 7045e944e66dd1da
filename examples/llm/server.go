package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A prompt is the body of a request, as OpenAI's API has it.
type prompt struct {
	Model     string    `json:"model"`
	MaxTokens int       `json:"max_tokens"`
	Stream    bool      `json:"stream"`
	Messages  []message `json:"messages"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// A usage is what a response says that it cost.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// answer is what the model has to say: how much of it, the prompt decides.
func (p *prompt) answer() usage {
	in := 0
	for _, m := range p.Messages {
		in += len(m.Content) / 4
	}
	out := min(p.MaxTokens, 40+(in*37+11)%211)
	return usage{in, out, in + out}
}

// A chat is a server that limits requests and tokens a minute. At admission it takes the prompt
// and max_tokens; what was not produced it gives back when the response is complete.
type chat struct {
	*httptest.Server
	mu       sync.Mutex
	requests ratemodel.Pool
	tokens   ratemodel.Charger
	sent     counts
}

// counts are what the server saw.
type counts struct{ requests, refused, tokens int }

// newChat starts a server on the loopback interface whose minute is so long.
func newChat(l limits) *chat {
	c := &chat{
		requests: ratemodel.NewRefillingPool(float64(l.requests), l.minute),
		tokens:   ratemodel.Charger{Pool: ratemodel.NewRefillingPool(float64(l.tokens), l.minute), Charging: ratemodel.ChargeRefund},
	}
	c.Server = httptest.NewServer(c)
	return c
}

func (c *chat) counts() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var p prompt
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil || r.URL.Path != "/v1/chat/completions" {
		http.NotFound(w, r)
		return
	}
	u := p.answer()
	charge := ratemodel.Cost{Prompt: float64(u.Prompt), Output: float64(u.Completion), MaxOutput: float64(p.MaxTokens)}
	if !c.admit(w.Header(), charge) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}`)
		return
	}
	if p.Stream {
		c.stream(w, u)
		c.finish(nil, charge)
		return
	}
	time.Sleep(think + time.Duration(u.Completion)*perToken)
	c.finish(w.Header(), charge)
	w.Header().Set("Content-Type", "application/json")
	text, _ := json.Marshal(u)
	fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%q}}],"usage":%s}`, strings.Repeat("word ", u.Completion), text)
}

// What it takes to begin a response, and to produce a token of it.
const (
	think    = 50 * time.Millisecond
	perToken = time.Millisecond
)

// stream sends a response in pieces, with what it cost in the last event.
func (c *chat) stream(w http.ResponseWriter, u usage) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	time.Sleep(think)
	for left := u.Completion; left > 0; left -= 25 {
		piece := min(left, 25)
		fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", strings.Repeat("word ", piece))
		_ = out.Flush() // an error means that the client has gone
		time.Sleep(time.Duration(piece) * perToken)
	}
	text, _ := json.Marshal(u)
	fmt.Fprintf(w, "data: {\"choices\":[],\"usage\":%s}\n\ndata: [DONE]\n\n", text)
}

// admit takes what a request may cost, or tells when to come back.
func (c *chat) admit(h http.Header, charge ratemodel.Cost) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.sent.requests++
	admitted := c.requests.Level(now) >= 1 && c.tokens.Admit(now, charge)
	if admitted {
		c.requests.Charge(now, 1)
		c.sent.tokens += int(c.tokens.Charged(charge))
	} else {
		c.sent.refused++
		wait := max(c.requests.Wait(now, 1), c.tokens.Pool.Wait(now, c.tokens.Need(charge)))
		h.Set("Retry-After", fmt.Sprint(math.Ceil(wait.Seconds())))
	}
	c.tell(h, now)
	return admitted
}

// finish gives back what a response did not cost. A header that was sent already is nil.
func (c *chat) finish(h http.Header, charge ratemodel.Cost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.tokens.Settle(now, charge)
	if h != nil {
		c.tell(h, now)
	}
}

func (c *chat) tell(h http.Header, now time.Time) {
	for name, p := range map[string]ratemodel.Pool{"requests": c.requests, "tokens": c.tokens.Pool} {
		h.Set("x-ratelimit-limit-"+name, fmt.Sprint(p.Limit()))
		h.Set("x-ratelimit-remaining-"+name, fmt.Sprint(math.Floor(max(0, p.Level(now)))))
		h.Set("x-ratelimit-reset-"+name, p.Full(now).Round(time.Millisecond).String())
	}
}
