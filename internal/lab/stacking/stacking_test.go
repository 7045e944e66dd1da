package stacking

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// An order says on which side of forbear a layer is.
type order string

const above, below order = "above", "below"

// stack puts a layer above or below forbear.
func stack(t *testing.T, o order, layer func(http.RoundTripper) http.RoundTripper, network http.RoundTripper) *http.Client {
	t.Helper()
	if o == below {
		network = layer(network)
	}
	limited, err := client.NewTransport(network)
	require.NoError(t, err)
	if o == above {
		return &http.Client{Transport: layer(limited)}
	}
	return &http.Client{Transport: limited}
}

// send sends n requests at once, and returns how many got which status.
func send(t *testing.T, hc *http.Client, url string, n int) map[int]int {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range n {
		all.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			assert.NoError(t, err)
			resp, err := hc.Do(req)
			mu.Lock()
			defer mu.Unlock()
			if !assert.NoError(t, err) {
				return
			}
			resp.Body.Close()
			statuses[resp.StatusCode]++
		})
	}
	all.Wait()
	return statuses
}

// tokens is a source of tokens that are good for two minutes.
type tokens struct {
	made atomic.Int64
}

const life = 2 * time.Minute

func (s *tokens) Token() (*oauth2.Token, error) {
	s.made.Add(1)
	return &oauth2.Token{AccessToken: strconv.FormatInt(time.Now().Unix(), 10), Expiry: time.Now().Add(life)}, nil
}

// A token that is put on below forbear is fresh when the request goes; one that is put
// on above may expire in the queue.
func TestOAuth2(t *testing.T) {
	for o, want := range map[order]map[int]int{below: {200: 50}, above: {200: 30, 401: 20}} {
		synctest.Test(t, func(t *testing.T) {
			api := clienttest.NewInMemory(clienttest.Fixed(10, time.Minute).By(everybody), clienttest.Draft8(),
				clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					made, _ := strconv.ParseInt(r.Header.Get("Authorization")[len("Bearer "):], 10, 64)
					if time.Since(time.Unix(made, 0)) > life {
						w.WriteHeader(http.StatusUnauthorized)
					}
				})))
			source := new(tokens)
			hc := stack(t, o, func(base http.RoundTripper) http.RoundTripper {
				return &oauth2.Transport{Base: base, Source: oauth2.ReuseTokenSource(nil, source)}
			}, api.Client().Transport)
			got := send(t, hc, api.URL, 50)
			if o == below {
				assert.Equal(t, want, got)
				assert.Greater(t, source.made.Load(), int64(1))
			} else {
				assert.GreaterOrEqual(t, got[http.StatusUnauthorized], 10)
			}
			api.MustNotRefuse(t)
		})
	}
}

// everybody is one for whom a limit counts all.
func everybody(*http.Request) string { return "" }

// A token that is put on below may change: what was learned of the limit stays. Above, the
// new token is a new key.
func TestOAuth2Keys(t *testing.T) {
	for o, want := range map[order]int{below: 1, above: 2} {
		synctest.Test(t, func(t *testing.T) {
			api := clienttest.NewInMemory(clienttest.Fixed(10, time.Hour).By(everybody), clienttest.Draft8())
			var transport *client.Transport
			hc := stack(t, o, func(base http.RoundTripper) http.RoundTripper {
				return &oauth2.Transport{Base: base, Source: oauth2.ReuseTokenSource(nil, new(tokens))}
			}, api.Client().Transport)
			transport, ok := hc.Transport.(*client.Transport)
			if !ok {
				transport = hc.Transport.(*oauth2.Transport).Base.(*client.Transport)
			}
			send(t, hc, api.URL, 1)
			time.Sleep(2 * life)
			send(t, hc, api.URL, 1)
			assert.Len(t, transport.Snapshot(), want, o)
		})
	}
}

// spans counts the spans that end, and how long they took.
type spans struct {
	noop.TracerProvider
	mu    sync.Mutex
	ended []time.Duration
}

type tracer struct {
	noop.Tracer
	all *spans
}

type span struct {
	noop.Span
	all   *spans
	began time.Time
}

func (s *spans) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{all: s} }

func (t tracer) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := &span{all: t.all, began: time.Now()}
	return trace.ContextWithSpan(ctx, s), s
}

func (s *span) End(...trace.SpanEndOption) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.all.ended = append(s.all.ended, time.Since(s.began))
}

// Below forbear there is a span for each attempt, without the wait; above there is one
// for each call, with its wait and its retries.
func TestOtelHTTP(t *testing.T) {
	for _, o := range []order{above, below} {
		synctest.Test(t, func(t *testing.T) {
			api := clienttest.NewInMemory(clienttest.FromFirst(2, time.Minute), clienttest.Draft8())
			api.Next(1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
			all := new(spans)
			hc := stack(t, o, func(base http.RoundTripper) http.RoundTripper {
				return otelhttp.NewTransport(base, otelhttp.WithTracerProvider(all))
			}, api.Client().Transport)
			for range 3 {
				send(t, hc, api.URL, 1)
			}
			longest := time.Duration(0)
			for _, d := range all.ended {
				longest = max(longest, d)
			}
			if o == below {
				assert.Len(t, all.ended, 4)
				assert.Less(t, longest, time.Second)
			} else {
				assert.Len(t, all.ended, 3)
				assert.Greater(t, longest, 50*time.Second)
			}
		})
	}
}

// once gets what is at a URL for all who ask for it at the same time.
func once[T any](calls *singleflight.Group, hc *http.Client, url string) (T, error) {
	v, err, _ := calls.Do(url, func() (any, error) {
		var v T
		resp, err := hc.Get(url) // of no caller's context: the others need it too
		if err != nil {
			return v, err
		}
		defer resp.Body.Close()
		err = json.NewDecoder(resp.Body).Decode(&v) // a body can be read only once
		return v, err
	})
	got, _ := v.(T)
	return got, err
}

// Calls for the same thing at the same time cost one request.
func TestSingleflight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Fixed(2, time.Minute), clienttest.Draft8())
		hc, err := client.Wrap(api.Client())
		require.NoError(t, err)
		var calls singleflight.Group
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				got, err := once[struct{ OK bool }](&calls, hc, api.URL+"/rates/"+strconv.Itoa(i%2))
				assert.NoError(t, err)
				assert.True(t, got.OK)
			})
		}
		all.Wait()
		api.MustAdmit(t, 2)
		api.MustNotRefuse(t)
	})
}

// unqueued sends a request at once or not at all if failsafe-go made it as a hedge.
type unqueued struct{ limited http.RoundTripper }

func (u unqueued) RoundTrip(req *http.Request) (*http.Response, error) {
	if hedges, _ := req.Context().Value(hedgesKey{}).(*atomic.Int64); hedges != nil && hedges.Add(1) > 1 {
		req = req.WithContext(client.NoWait(req.Context()))
	}
	return u.limited.RoundTrip(req)
}

type hedgesKey struct{}

// hedged sends a request a second time if there is no answer after a while, provided
// that the limits have room for it.
func hedged(limited http.RoundTripper, after time.Duration) http.RoundTripper {
	policy := hedgepolicy.NewBuilderWithDelay[*http.Response](after).
		CancelIf(func(_ *http.Response, err error) bool { return err == nil }).Build()
	inner := failsafehttp.NewRoundTripper(unqueued{limited}, policy)
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		return inner.RoundTrip(req.WithContext(context.WithValue(req.Context(), hedgesKey{}, new(atomic.Int64))))
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Hedges above forbear are counted like any request, and cut a stalled answer short.
// Those of requests that wait for the limit are not sent.
func TestHedging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.FromFirst(20, time.Minute), clienttest.Draft8(),
			clienttest.Faults{Stall: .2, StallFor: 10 * time.Second, Seed: 3})
		limited, err := client.NewTransport(api.Client().Transport)
		require.NoError(t, err)
		hc := &http.Client{Transport: hedged(limited, time.Second)}
		for range 10 { // there is room: no stall is felt
			began := time.Now()
			assert.Equal(t, map[int]int{200: 1}, send(t, hc, api.URL, 1))
			assert.Less(t, time.Since(began), 3*time.Second)
		}
		assert.Greater(t, api.Counts().Requests, 10)
		api.MustNotRefuse(t)
	})
	synctest.Test(t, func(t *testing.T) { // who waits for the limit, needs no hedge
		api := clienttest.NewInMemory(clienttest.FromFirst(20, time.Minute), clienttest.Draft8())
		limited, err := client.NewTransport(api.Client().Transport)
		require.NoError(t, err)
		hc := &http.Client{Transport: hedged(limited, time.Second)}
		assert.Equal(t, map[int]int{200: 70}, send(t, hc, api.URL, 70))
		api.MustNotRefuse(t)
		api.MustAdmit(t, 70)
	})
}
