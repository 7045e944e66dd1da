package client_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"sort"
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

var llmServers = flag.Int("llmservers", 24, "how many random APIs of language models are tried")

// An llmWorld is a random API of language models, and those who ask it.
type llmWorld struct {
	seed     uint64
	dialect  string
	charging ratemodel.Charging
	kind     string
	pool     func(limit float64, length time.Duration) ratemodel.Pool
	factor   float64
	limit    float64 // tokens a minute
	calls    float64 // requests a minute
	mean     float64 // tokens of a request
	most     float64 // max_tokens
	bounded  bool    // it is sent
	n        int     // answers to a request
	embed    bool    // requests produce nothing
	caching  float64 // the share of prompts that is read from the cache
	stream   bool
	models   int
	shared   bool // they share their limits
	callers  int
	each     time.Duration // a token of output takes
	run      time.Duration
}

func (w llmWorld) String() string {
	return fmt.Sprintf("seed %d %s %s/%s factor %v limit %v/%v mean %.0f most %.0f bounded %t n %d embed %t caching %.1f stream %t models %d shared %t callers %d each %v",
		w.seed, w.dialect, w.kind, []string{"end", "refund", "keep", "live"}[w.charging], w.factor, w.limit, w.calls, w.mean, w.most, w.bounded, w.n, w.embed, w.caching, w.stream, w.models, w.shared, w.callers, w.each)
}

func newLLMWorld(seed uint64) llmWorld {
	random := rand.New(rand.NewPCG(seed, 11))
	pick := func(of ...float64) float64 { return of[random.IntN(len(of))] }
	names := make([]string, 0, len(llmDialects))
	for name := range llmDialects {
		names = append(names, name)
	}
	sort.Strings(names)
	w := llmWorld{
		seed: seed, dialect: names[random.IntN(len(names))], charging: ratemodel.Charging(random.IntN(4)), kind: "refilling", pool: ratemodel.NewRefillingPool,
		factor: pick(1, 1, 1, 1.2), limit: pick(10_000, 10_000, 30_000, 90_000, 250_000), calls: pick(60, 500, 500), bounded: random.IntN(3) > 0,
		n: 1, embed: random.IntN(8) == 0, caching: pick(0, 0, 0, 0.5), stream: random.IntN(2) == 0, models: 1 + random.IntN(2), shared: random.IntN(4) == 0,
		callers: 1 + random.IntN(25), each: time.Duration(pick(2, 10)) * time.Millisecond, run: 8 * time.Minute,
	}
	switch random.IntN(4) {
	case 0:
		w.kind, w.pool = "fixed", ratemodel.NewFixedPool
	case 1:
		w.kind, w.pool = "rolling", ratemodel.NewRollingPool
	}
	w.mean = math.Round(w.limit * pick(0.01, 0.03, 0.06, 0.1))
	w.mean = min(w.mean, 3000)
	w.most = min(math.Round(w.mean*pick(1, 2, 4)), w.limit/3)
	if random.IntN(6) == 0 {
		w.n = 3
		w.most = math.Round(w.most / 3)
	}
	return w
}

func (w llmWorld) model(job int) string {
	if job%(2*w.models) >= 2 {
		return "small"
	}
	return "large"
}

// cost returns what a job costs.
func (w llmWorld) cost(job int) ratemodel.Cost {
	random := rand.New(rand.NewPCG(uint64(job), w.seed))
	total := w.mean * math.Exp(0.7*random.NormFloat64()-0.25)
	share := 0.2 + 0.4*random.Float64()
	if w.embed {
		return ratemodel.Cost{Prompt: math.Ceil(min(total, w.limit/3))}
	}
	c := ratemodel.Cost{Prompt: math.Ceil(min(total*share, w.limit/3)), MaxOutput: w.most * float64(w.n)}
	c.Output = math.Ceil(min(total*(1-share), c.MaxOutput))
	return c
}

func (w llmWorld) cached(c ratemodel.Cost) float64 { return math.Floor(w.caching * c.Prompt) }

func (s *llmServer) request(ctx context.Context, t testing.TB, job int) *http.Request {
	c, path := s.cost(job), s.path
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, s.model(job))
	}
	body := fmt.Sprintf(`{"model":%q,`, s.model(job))
	if s.bounded && !s.embed {
		body += fmt.Sprintf(`%q:%v,`, s.llmDialect.most, s.llmWorld.most)
	}
	if s.n > 1 {
		body += fmt.Sprintf(`"n":%d,`, s.n)
	}
	body += fmt.Sprintf(`"stream":%t,"messages":[{"role":"user","content":%q}]}`, s.stream, strings.Repeat("for ", int(c.Prompt)))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+s.host+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer key")
	req.Header.Set("X-Job", strconv.Itoa(job))
	return req
}

// ask has the callers of the world do one job after the other. Who is refused tries again a moment later.
func (s *llmServer) ask(t testing.TB, do func(*http.Request) (*http.Response, error)) (failed int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(s.run, cancel)
	var jobs, failures atomic.Int64
	var wg sync.WaitGroup
	for range s.callers {
		wg.Go(func() {
			for job := int(jobs.Add(1)); ctx.Err() == nil; {
				resp, err := do(s.request(ctx, t, job))
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					if err == nil && resp.StatusCode == http.StatusOK {
						job = int(jobs.Add(1))
						continue
					}
				}
				if ctx.Err() == nil {
					failures.Add(1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	wg.Wait()
	return int(failures.Load())
}

// floor is the least share of what retries reach, or of what the limits allow, that is served. Where a server
// tells no limits, or gives back piece by piece what only it counts, more of it takes luck.
func (w llmWorld) floor() float64 {
	if w.kind == "refilling" && w.dialect != "bedrock" && w.dialect != "gemini" {
		return 0.88
	}
	return 0.6
}

// Whatever an API of language models is like, nobody gets much less done with forbear than with a client that
// just retries, nor is refused more.
func TestNoLanguageModelIsServedLess(t *testing.T) {
	t.Parallel()
	servers := *llmServers
	if chance.Raced {
		servers = min(servers, 3)
	}
	for seed := range servers {
		w := newLLMWorld(uint64(seed + 1))
		t.Run(strconv.Itoa(seed+1), func(t *testing.T) {
			t.Parallel()
			chance.Bubble(t, func(t testing.TB) {
				time.Sleep(17 * time.Second)
				plain := newLLMServer(w)
				rc := retryablehttp.NewClient()
				rc.Logger, rc.HTTPClient = nil, &http.Client{Transport: plain}
				failed := plain.ask(t, rc.StandardClient().Do)

				ours := newLLMServer(w)
				tr, err := client.NewTransport(ours)
				require.NoError(t, err)
				defer tr.Close()
				failures := ours.ask(t, tr.RoundTrip)
				reached := ours.charged / min(plain.charged, plain.possible())
				t.Logf("%.2f of what retries reach (%d of %d), refused %d and not %d, failed %d and not %d: %v",
					reached, ours.served, plain.served, ours.refused, plain.refused, failures, failed, w)
				assert.GreaterOrEqual(t, reached, w.floor(), "%v", w)
				assert.LessOrEqual(t, float64(ours.refused), 10+1.3*float64(plain.refused), "%v", w)
			})
		})
	}
}
