package client_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
)

// A reach is what a client that was told nothing must reach with an API.
type reach struct {
	name    string
	server  func(t *testing.T) *apiserver.Server
	load    simnet.Load
	span    time.Duration // of the run; 0 is ten minutes
	min     time.Duration // one-way delays; 0 is 40 to 80 ms
	max     time.Duration
	refused int     // at most
	used    float64 // at least
}

// into is where in a minute, an hour and a day each run starts. It ends with a
// minute.
const into = 17300 * time.Millisecond

var reaches = []reach{
	{name: "Bindbee: 200 a minute", server: serve(apiserver.NewBindbee), used: .995},
	{
		name: "Bindbee: five connectors", server: serve(apiserver.NewBindbee), used: .995,
		load: simnet.Load{Keys: []string{"a", "b", "c", "d", "e"}, NewRequest: func(ctx context.Context, key string) *http.Request {
			r := get(ctx, "/employees")
			r.Header.Set("Authorization", "Bearer one-account")
			r.Header.Set("X-Connector-Token", key)
			return r
		}},
	},
	{
		name: "Pullbay: 60 a minute, rolling, no Retry-After", used: .995,
		server: func(t *testing.T) *apiserver.Server {
			api, err := apiserver.NewPullbay(apiserver.Starter, 1)
			require.NoError(t, err)
			return api.Server
		},
	},
	{
		name: "Bundleport: 600 a minute, 15,000 an hour, 250,000 a day", span: 26 * time.Hour, refused: 2, used: .995,
		server: serve(func(speed float64, change ...func(*apiserver.Config)) (*apiserver.Server, error) {
			return apiserver.NewBundleport(apiserver.BundleportLimits{}, speed, change...)
		}),
	},
	{
		// The unnamed fields are about the minute at first, and later about the hour.
		name: "Bundleport, with unnamed fields beside the named ones", span: 2 * time.Hour, used: .995,
		server: serve(func(speed float64, change ...func(*apiserver.Config)) (*apiserver.Server, error) {
			return apiserver.NewBundleport(apiserver.BundleportLimits{}, speed, append(change, apiserver.KongGeneric)...)
		}),
	},
	{
		name: "GCRA, 120 a minute, reset when full again", used: .97,
		server: serveModel(func() ratemodel.Model {
			b := ratemodel.NewBucket(120, 120, time.Minute)
			b.Reset = ratemodel.ResetFull
			return b
		}, apiserver.Dialect{Fields: apiserver.Draft03, RetryAfter: apiserver.Seconds}),
	},
	{
		name: "10 a second and 100 a minute, structured fields", used: .99,
		server: serveModel(func() ratemodel.Model {
			second, minute := ratemodel.NewFixed(10, time.Second), ratemodel.NewFixed(100, time.Minute)
			second.Name, minute.Name = "persec", "permin"
			return ratemodel.All{second, minute}
		}, apiserver.Dialect{Fields: apiserver.Structured, RetryAfter: apiserver.Seconds}),
	},
	{
		name: "300 a minute, 200 callers, responses overtake each other", used: .99,
		server: serveModel(fixed(300), xRateLimit), load: simnet.Load{Callers: 200},
		min: 200 * time.Millisecond, max: 1700 * time.Millisecond,
	},
	{name: "clock 95 s ahead", server: serveModel(fixed(200), xRateLimit, func(c *apiserver.Config) { c.ClockOffset = 95 * time.Second }), used: .99},
	{
		name: "clock 95 s behind, no Retry-After", used: .99,
		server: serveModel(fixed(200), apiserver.Dialect{Fields: apiserver.XRateLimit}, func(c *apiserver.Config) { c.ClockOffset = -95 * time.Second }),
	},
	{
		name: "5 % of answers 503, refusals count", used: .99,
		server: serveModel(func() ratemodel.Model {
			m := ratemodel.NewFixed(200, time.Minute)
			m.RefusalsCount = true
			return m
		}, xRateLimit, func(c *apiserver.Config) {
			c.Faults = apiserver.Faults{Share: .05, Counted: true, Seed: 3}
		}),
	},
}

var xRateLimit = apiserver.Dialect{Fields: apiserver.XRateLimit, RetryAfter: apiserver.Seconds}

func fixed(limit int) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewFixed(limit, time.Minute) }
}

func get(ctx context.Context, path string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test"+path, nil)
	if err != nil {
		panic(err)
	}
	return r
}

func serve(make func(float64, ...func(*apiserver.Config)) (*apiserver.Server, error)) func(*testing.T) *apiserver.Server {
	return func(t *testing.T) *apiserver.Server {
		s, err := make(1)
		require.NoError(t, err)
		return s
	}
}

func serveModel(model func() ratemodel.Model, d apiserver.Dialect, change ...func(*apiserver.Config)) func(*testing.T) *apiserver.Server {
	return func(t *testing.T) *apiserver.Server {
		c := apiserver.Config{Rules: []apiserver.Rule{{Model: func(string) ratemodel.Model { return model() }, Dialect: d}}}
		for _, f := range change {
			f(&c)
		}
		s, err := apiserver.New(c)
		require.NoError(t, err)
		return s
	}
}

// A client that was told nothing uses all of the limit and is not refused.
func TestReach(t *testing.T) {
	t.Parallel()
	for _, c := range reaches {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if chance.Raced && c.span > time.Hour {
				t.Skip("hours of traffic take too long with the race detector")
			}
			synctest.Test(t, c.run)
		})
	}
}

func (c reach) run(t *testing.T) {
	s := c.server(t)
	network := simnet.New(s, 1)
	if c.max > 0 {
		network.Min, network.Max = c.min, c.max
	}
	rt, err := client.NewTransport(network)
	require.NoError(t, err)
	load := c.load
	load.Server, load.Do = s, rt.RoundTrip
	load.Start = simnet.Into(time.Now().Add(24*time.Hour), 24*time.Hour, into)
	span := max(c.span, 10*time.Minute)
	load.Until = load.Start.Add(span - into)
	r := load.Run(t.Context())
	t.Log(r)
	require.LessOrEqual(t, r.Counts.Refused, c.refused)
	require.GreaterOrEqual(t, r.UsedShare(), c.used)
	for key, k := range r.Keys {
		require.GreaterOrEqual(t, float64(k.Counts.Admitted), c.used*float64(k.Possible), key)
	}
	require.Zero(t, r.Errors, r.First)
	require.Zero(t, network.Open())
}

// An API without any limit is not slowed down.
func TestReachNoLimit(t *testing.T) {
	t.Parallel()
	chance.Bubble(t, func(t testing.TB) {
		s, err := apiserver.New(apiserver.Config{})
		require.NoError(t, err)
		long := 30 * time.Second
		if chance.Raced {
			long /= 10
		}
		throughput := func(do func(*http.Request) (*http.Response, error)) int {
			return simnet.Load{Server: s, Do: do, Callers: 200, Until: time.Now().Add(long)}.Run(t.Context()).Counts.Requests
		}
		bare := throughput(simnet.New(s, 1).RoundTrip)
		rt, err := client.NewTransport(simnet.New(s, 1))
		require.NoError(t, err)
		got := throughput(rt.RoundTrip)
		t.Logf("%d of the %d requests of the bare transport", got, bare)
		require.GreaterOrEqual(t, float64(got), .99*float64(bare))
	})
}
