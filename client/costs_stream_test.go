package client_test

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
)

// chatServer streams its responses: what remains is told when they begin, and what they cost in their last event.
type chatServer struct {
	mu              sync.Mutex
	random          *rand.Rand
	tokens          ratemodel.Charger
	requests        ratemodel.Pool
	served, refused int
	charged         float64
}

func (s *chatServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	c := ratemodel.Cost{Prompt: 100, Output: math.Ceil(20 + s.random.ExpFloat64()*300), MaxOutput: 2000}
	c.Output = min(c.Output, c.MaxOutput)
	admitted := s.tokens.Admit(time.Now(), c)
	tellOpenAI(w.Header(), s.requests, s.tokens.Pool, time.Now())
	if !admitted {
		s.refused++
		text := refuseOpenAI(w.Header(), s.tokens.Pool.Wait(time.Now(), s.tokens.Need(c)), false)
		s.mu.Unlock()
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, text)
		return
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	for range 10 {
		fmt.Fprint(w, "data: {\"choices\":[]}\n\n")
		w.(http.Flusher).Flush()
		time.Sleep(time.Duration(c.Output) * time.Millisecond)
	}
	s.mu.Lock()
	s.tokens.Settle(time.Now(), c)
	s.served, s.charged = s.served+1, s.charged+s.tokens.Charged(c)
	s.mu.Unlock()
	fmt.Fprintf(w, "data: "+openaiUsage+"\n\ndata: [DONE]\n\n", c.Prompt, c.Output, 0, c.Prompt+c.Output)
}

// Responses that begin long before it is known what they cost are settled by their last event: none is
// refused, and nearly all that the API allows is used.
func TestStreamsAreSettledByTheirLastEvent(t *testing.T) {
	t.Parallel()
	for charging, name := range []string{"end", "refund", "keep", "live"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chance.Bubble(t, func(t testing.TB) { // the order of callers at one moment decides: one draw in twenty is refused twice
				const limit, minutes = 60_000., 5
				server := &chatServer{
					random: rand.New(rand.NewPCG(1, 2)), requests: ratemodel.NewRefillingPool(10_000, time.Minute),
					tokens: ratemodel.Charger{Pool: ratemodel.NewRefillingPool(limit, time.Minute), Charging: ratemodel.Charging(charging)},
				}
				network := simnet.New(server, 1)
				network.Stream = true
				tr, err := client.NewTransport(network)
				require.NoError(t, err)
				defer tr.Close()
				began := time.Now()
				body := fmt.Sprintf(`{"model":"large","max_tokens":2000,"stream":true,"messages":[{"role":"user","content":%q}]}`, strings.Repeat("for ", 100))
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						for time.Since(began) < minutes*time.Minute {
							req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.openai.com/v1/chat/completions", strings.NewReader(body))
							if !assert.NoError(t, err) {
								return
							}
							resp, err := tr.RoundTrip(req)
							if !assert.NoError(t, err) {
								return
							}
							_, err = io.Copy(io.Discard, resp.Body)
							assert.NoError(t, err)
							assert.NoError(t, resp.Body.Close())
						}
					})
				}
				wg.Wait()
				used := server.charged / (limit * (time.Since(began).Minutes() + 1))
				t.Logf("%d served, %d refused, %.3f used", server.served, server.refused, used)
				assert.LessOrEqual(t, server.refused, 1)
				assert.GreaterOrEqual(t, used, 0.9)
				assert.Zero(t, network.Open())
			})
		})
	}
}
