package client_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A gap is an API of which a client that only retries gets more. It answers under its lock: how it is that a request
// is served, and what it says of limits.
type gap struct {
	mu     sync.Mutex
	rng    *rand.Rand
	answer func(g *gap, h http.Header) (status int, after time.Duration)
	done   func(g *gap)
	served int

	flying int
	model  ratemodel.Model
	began  time.Time
}

func (g *gap) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(50 * time.Millisecond)
	h := http.Header{}
	g.mu.Lock()
	status, after := g.answer(g, h)
	g.mu.Unlock()
	time.Sleep(50*time.Millisecond + after)
	g.mu.Lock()
	if status == http.StatusOK {
		g.served++
		if g.done != nil {
			g.done(g)
		}
	}
	g.mu.Unlock()
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}

// say announces what remains of so many, and the seconds until the reset, if there is one.
func say(h http.Header, limit, remaining, reset int) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(remaining, 0)))
	if reset >= 0 {
		h.Set("X-RateLimit-Reset", strconv.Itoa(reset))
	}
}

// What remains may not be what it seems to be: the slots that are free, or what was left when somebody else asked. A
// client that believes it waits in vain. The floors are what is reached; that of a client that only retries is 1.
func TestWhatRemainsMeansSomethingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(g *gap, h http.Header) (int, time.Duration)
		done   func(g *gap)
		least  float64
	}{
		"free slots": {func(g *gap, h http.Header) (int, time.Duration) {
			if g.flying >= 10 {
				say(h, 10, 0, -1)
				return http.StatusTooManyRequests, 0
			}
			g.flying++
			say(h, 10, 10-g.flying, -1)
			return http.StatusOK, 300 * time.Millisecond
		}, func(g *gap) { g.flying-- }, .3},
		"of four responses, three are a cache's": {func(g *gap, h http.Header) (int, time.Duration) {
			window := g.model.Windows(nil, time.Now())[0]
			if g.rng.IntN(4) > 0 {
				h.Set("Age", strconv.Itoa(1+g.rng.IntN(30)))
				say(h, window.Limit, g.rng.IntN(window.Limit), 60)
				return http.StatusOK, 0
			}
			ok := g.model.Admit(time.Now())
			window = g.model.Windows(nil, time.Now())[0]
			say(h, window.Limit, window.Remaining, int(time.Until(window.Reset)/time.Second)+1)
			if !ok {
				return http.StatusTooManyRequests, 0
			}
			return http.StatusOK, 0
		}, nil, .3},
		"the quota is raised before the reset": {func(g *gap, h http.Header) (int, time.Duration) {
			if time.Since(g.began) > time.Minute {
				say(h, 500, 500-g.served%500, 900)
				return http.StatusOK, 0
			}
			ok := g.model.Admit(time.Now())
			window := g.model.Windows(nil, time.Now())[0]
			say(h, window.Limit, window.Remaining, 900)
			if !ok {
				return http.StatusTooManyRequests, 0
			}
			return http.StatusOK, 0
		}, nil, .3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := func(ours bool) (served int) {
				chance.Bubble(t, func(t testing.TB) {
					g := &gap{rng: rand.New(rand.NewPCG(1, 2)), answer: c.answer, done: c.done, model: ratemodel.NewFixed(300, 2*time.Minute), began: time.Now()}
					rt := transportOf(t, g, ours)
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
					defer cancel()
					ask(ctx, t, rt, 10, func(int, int) string { return "https://api.test/x" })
					served = g.served
				})
				return served
			}
			plain := job(false)
			ours := job(true)
			t.Logf("%d and %d served: %.2f", ours, plain, float64(ours)/float64(plain))
			assert.GreaterOrEqual(t, float64(ours), c.least*float64(plain))
		})
	}
}
