package client_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

var chatServers = flag.Int("chatservers", 12, "how many random servers of two models are tried")

// chatWorld is a random server of two models, and those who ask it.
type chatWorld struct {
	seed     uint64
	charging ratemodel.Charging
	kind     string
	pool     func(limit float64, length time.Duration) ratemodel.Pool
	shared   bool // by both models
	stream   bool
	others   float64 // what others spend of each limit
	callers  int
	big      float64 // the limits
	small    float64
}

func (w chatWorld) String() string {
	return fmt.Sprintf("seed %d: %s, charging %d, shared %t, stream %t, others %v, %d callers, %v and %v tokens",
		w.seed, w.kind, w.charging, w.shared, w.stream, w.others, w.callers, w.big, w.small)
}

func newChatWorld(seed uint64) chatWorld {
	random := rand.New(rand.NewPCG(seed, 5))
	w := chatWorld{
		seed: seed, charging: ratemodel.Charging(random.IntN(4)), shared: random.IntN(4) == 0, stream: random.IntN(2) == 0,
		others: []float64{0, 0, 0.3}[random.IntN(3)], callers: 2 + random.IntN(30),
		big: 30_000 * float64(1+random.IntN(4)), small: 20_000 * float64(1+random.IntN(4)),
	}
	switch random.IntN(3) {
	case 0:
		w.kind, w.pool = "refilling", ratemodel.NewRefillingPool
	case 1:
		w.kind, w.pool = "fixed", ratemodel.NewFixedPool
	case 2:
		w.kind, w.pool = "rolling", ratemodel.NewRollingPool
	}
	return w
}

func (w chatWorld) api() *chatAPI {
	s := newChatAPI(w.charging, map[string]float64{"big": w.big, "small": w.small})
	s.pool, s.shared = w.pool, w.shared
	return s
}

// spendElsewhere has others spend evenly what they spend.
func (s *chatAPI) spendElsewhere(ctx context.Context, share float64) {
	for ctx.Err() == nil && share > 0 {
		s.mu.Lock()
		for model, p := range s.pools {
			p.Pool.Charge(time.Now(), share*s.limits[model]/240)
		}
		s.mu.Unlock()
		time.Sleep(250 * time.Millisecond)
	}
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

// ask has the callers of the world ask for a while, and returns how many of them got nothing.
func (w chatWorld) ask(t testing.TB, s *chatAPI, tr http.RoundTripper) (idle int) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	wg.Go(func() { s.spendElsewhere(ctx, w.others) })
	for i := range w.callers {
		wg.Go(func() {
			served := 0
			for ctx.Err() == nil {
				resp, err := tr.RoundTrip(chatRequest(ctx, t, chatURL, []string{"big", "small"}[i%2], 200+100*(i%8), w.stream))
				if err != nil {
					if ctx.Err() == nil && time.Until(deadline(ctx)) > time.Minute {
						assert.NoError(t, err, "%v", w)
					}
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					served++
					continue
				}
				select {
				case <-ctx.Done():
				case <-time.After(2 * time.Second):
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if served == 0 {
				idle++
			}
		})
	}
	wg.Wait()
	return idle
}

// Whatever a server of two models does: nobody waits for ever, no model waits for the other, little
// is refused, and most of what retries reach is used.
func TestModelsOfAnyServer(t *testing.T) {
	t.Parallel()
	servers := *chatServers
	if chance.Raced {
		servers = min(servers, 3)
	}
	for seed := range servers {
		w := newChatWorld(uint64(seed + 1))
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
			t.Parallel()
			chance.Bubble(t, func(t testing.TB) {
				plain := w.api()
				w.ask(t, plain, plain)
				ours := w.api()
				tr, err := client.NewTransport(ours)
				require.NoError(t, err)
				defer tr.Close()
				idle := w.ask(t, ours, tr)
				possible := min(plain.charged, 6*(w.big+w.small))
				t.Logf("refused %d of %d and not %d, used %.2f: %v", ours.refused, ours.refused+ours.served, plain.refused, ours.charged/possible, w)
				assert.Zero(t, idle, "%v", w)
				assert.LessOrEqual(t, float64(ours.refused), max(12+0.06*float64(ours.served), 0.2*float64(plain.refused)), "%v", w)
				assert.GreaterOrEqual(t, ours.charged, 0.6*possible, "%v", w)
			})
		})
	}
}
