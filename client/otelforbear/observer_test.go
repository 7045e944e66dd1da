package otelforbear_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/forbear-go/forbear/client/otelforbear"
)

// An api allows so many requests a minute.
type api struct {
	mu     sync.Mutex
	limit  int
	window int64
	used   int
	status int // of the next answer, in place of 200
	err    error
	names  func(n int) string // of limits
	n      int
}

func (a *api) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		err := a.err
		a.err = nil
		return nil, err
	}
	now := time.Now()
	if w := now.Unix() / 60; w != a.window {
		a.window, a.used = w, 0
	}
	name := "minute"
	if a.names != nil {
		name = a.names(a.n)
		a.n++
	}
	status := http.StatusOK
	if a.status != 0 {
		status, a.status = a.status, 0
	} else if a.used++; a.used > a.limit {
		status = http.StatusTooManyRequests
	}
	h := http.Header{}
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=60", name, a.limit))
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", name, max(a.limit-a.used, 0), 60-now.Unix()%60))
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: http.NoBody, Request: req}, nil
}

// A rig is a client whose metrics and spans are kept in memory.
type rig struct {
	t         testing.TB
	client    *http.Client
	transport *client.Transport
	observer  *otelforbear.Observer
	reader    *sdk.ManualReader
	spans     *tracetest.SpanRecorder
	tracer    trace.Tracer
}

func newRig(t testing.TB, base http.RoundTripper, c otelforbear.Config, opts ...client.Option) *rig {
	t.Helper()
	r := &rig{t: t, reader: sdk.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))
	r.tracer = tracers.Tracer("test")
	c.MeterProvider, c.TracerProvider = sdk.NewMeterProvider(sdk.WithReader(r.reader)), tracers
	var err error
	r.observer, err = otelforbear.New(c)
	require.NoError(t, err)
	r.transport, err = client.NewTransport(base, append(opts, client.WithObserver(r.observer.Observe))...)
	require.NoError(t, err)
	t.Cleanup(r.transport.Close)
	require.NoError(t, r.observer.Watch(r.transport))
	r.client = &http.Client{Transport: r.transport}
	return r
}

func (r *rig) get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(r.t, err)
	resp, err := r.client.Do(req)
	if err == nil {
		err = resp.Body.Close()
	}
	return err
}

// collect returns an instrument, or nil.
func (r *rig) collect(name string) *metricdata.Metrics {
	r.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(r.t, r.reader.Collect(r.t.Context(), &all))
	for _, s := range all.ScopeMetrics {
		require.Equal(r.t, "github.com/forbear-go/forbear/client/otelforbear", s.Scope.Name)
		for i := range s.Metrics {
			if s.Metrics[i].Name == name {
				return &s.Metrics[i]
			}
		}
	}
	return nil
}

// points returns the values of an instrument by their attributes. A histogram's is its
// count and its sum.
func (r *rig) points(name, unit string) map[string]string {
	r.t.Helper()
	found := make(map[string]string)
	m := r.collect(name)
	if m == nil {
		return found
	}
	require.Equal(r.t, unit, m.Unit)
	require.NotEmpty(r.t, m.Description)
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			found[text(p.Attributes)] = strconv.FormatInt(p.Value, 10)
		}
		require.Equal(r.t, strings.HasPrefix(unit, "{re") && !strings.Contains(name, ".request."), data.IsMonotonic)
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			found[text(p.Attributes)] = strconv.FormatInt(p.Value, 10)
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			found[text(p.Attributes)] = strconv.FormatFloat(p.Value, 'f', 2, 64)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			found[text(p.Attributes)] = fmt.Sprintf("%d %.0f", p.Count, p.Sum)
		}
	}
	return found
}

func text(set attribute.Set) string {
	var all []string
	for _, kv := range set.ToSlice() {
		all = append(all, string(kv.Key)+"="+kv.Value.String())
	}
	return strings.Join(all, " ")
}

const (
	here  = "server.address=api.test"
	limit = "forbear.limit.name=minute "
)

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 5}, otelforbear.Config{}, client.WithPacing(client.Burst))
		ctx, parent := r.tracer.Start(t.Context(), "parent")
		for range 5 {
			require.NoError(t, r.get(ctx, "https://api.test/secret?page=secret"))
		}
		require.Empty(t, r.spans.Ended(), "none waited")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { require.NoError(t, r.get(ctx, "https://api.test/")) })
		}
		short, cancel := context.WithCancel(ctx)
		wg.Go(func() { require.ErrorIs(t, r.get(short, "https://api.test/"), context.Canceled) })
		synctest.Wait()
		require.Equal(t, map[string]string{here: "3"}, r.points("forbear.client.request.queued", "{request}"))
		time.Sleep(10 * time.Second)
		cancel()
		wg.Wait()
		parent.End()
		require.Equal(t, map[string]string{here: "0"}, r.points("forbear.client.request.queued", "{request}"))
		require.Equal(t, map[string]string{here: "0"}, r.points("forbear.client.request.active", "{request}"))
		const port = " server.port=443"
		queued := r.points("forbear.client.request.time_in_queue", "s")
		require.Len(t, queued, 3)
		require.Equal(t, "5 0", queued["forbear.queue.outcome=admitted "+here+port])
		require.Equal(t, "1 10", queued[limit+"forbear.queue.outcome=canceled "+here+port])
		require.Regexp(t, `^2 1[234]\d$`, queued[limit+"forbear.queue.outcome=admitted "+here+port])
		require.Empty(t, r.points("forbear.client.rejections", "{request}"), "a caller that goes away is none")

		var spans int
		for _, s := range r.spans.Ended() {
			if s.Name() != "forbear.queue" {
				continue
			}
			spans++
			require.Equal(t, trace.SpanKindInternal, s.SpanKind())
			require.Equal(t, parent.SpanContext().SpanID(), s.Parent().SpanID())
			require.Contains(t, s.Attributes(), attribute.String("forbear.limit.name", "minute"))
			require.Contains(t, s.Attributes(), attribute.String("server.address", "api.test"))
			require.GreaterOrEqual(t, s.EndTime().Sub(s.StartTime()), 10*time.Second)
			require.NotContains(t, fmt.Sprint(s.Attributes()), "secret")
		}
		require.Equal(t, 3, spans)
	})
}

// The buckets of the histogram are those that dashboards rely on.
func TestBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 5}, otelforbear.Config{})
		require.NoError(t, r.get(t.Context(), "http://api.test:8080/"))
		p := r.collect("forbear.client.request.time_in_queue").Data.(metricdata.Histogram[float64]).DataPoints[0]
		require.Equal(t, []float64{0, .005, .01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}, p.Bounds)
		require.EqualValues(t, 1, p.BucketCounts[0], "it did not wait")
		require.Contains(t, text(p.Attributes), "server.port=8080")
	})
}

func TestActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		server := &api{limit: 5}
		r := newRig(t, roundTripper(func(req *http.Request) (*http.Response, error) { <-hold; return server.RoundTrip(req) }), otelforbear.Config{})
		var wg sync.WaitGroup
		wg.Go(func() { require.NoError(t, r.get(t.Context(), "http://api.test/")) })
		synctest.Wait()
		require.Equal(t, map[string]string{here: "1"}, r.points("forbear.client.request.active", "{request}"))
		close(hold)
		wg.Wait()
		require.Equal(t, map[string]string{here: "0"}, r.points("forbear.client.request.active", "{request}"))
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestRefusalsAndRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &api{limit: 5}
		r := newRig(t, server, otelforbear.Config{})
		server.used, server.window = 99, time.Now().Unix()/60
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		require.Equal(t, map[string]string{limit + "http.response.status_code=429 " + here: "1"}, r.points("forbear.client.refusals", "{refusal}"))
		server.status = 503
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		server.err = syscall.ECONNRESET
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		server.err = timeout{}
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		require.Equal(t, map[string]string{
			"error.type=429 " + here: "1", "error.type=503 " + here: "1", "error.type=_OTHER " + here: "1", "error.type=timeout " + here: "1",
		}, r.points("forbear.client.retries", "{retry}"))
	})
}

type timeout struct{}

func (timeout) Error() string { return "timeout" }
func (timeout) Timeout() bool { return true }

func TestRejections(t *testing.T) {
	for reason, c := range map[string]struct {
		opts []client.Option
		ctx  func(context.Context) (context.Context, context.CancelFunc)
	}{
		"max_wait": {[]client.Option{client.WithMaxWait(time.Second)}, nil},
		"no_wait": {nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return client.NoWait(ctx), func() {}
		}},
		"deadline": {nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}},
		"queue_full": {[]client.Option{client.WithMaxWaiting(0, queue.RefuseNewest)}, nil},
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, &api{limit: 1}, otelforbear.Config{}, c.opts...)
				require.NoError(t, r.get(t.Context(), "http://api.test/"))
				ctx, cancel := t.Context(), func() {}
				if c.ctx != nil {
					ctx, cancel = c.ctx(ctx)
				}
				defer cancel()
				require.Error(t, r.get(ctx, "http://api.test/"))
				require.Equal(t, map[string]string{"error.type=" + reason + " " + here: "1"}, r.points("forbear.client.rejections", "{request}"))
				require.Contains(t, fmt.Sprint(r.points("forbear.client.request.time_in_queue", "s")), "forbear.queue.outcome=rejected")
				require.Equal(t, map[string]string{here: "0"}, r.points("forbear.client.request.queued", "{request}"))
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 1}, otelforbear.Config{})
		r.transport.Close()
		require.Error(t, r.get(t.Context(), "http://api.test/"))
		require.Equal(t, map[string]string{"error.type=closed " + here: "1"}, r.points("forbear.client.rejections", "{request}"))
	})
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 20}, otelforbear.Config{})
		require.Empty(t, r.points("forbear.limit.max", "{unit}"))
		for range 5 {
			require.NoError(t, r.get(t.Context(), "http://api.test/"))
		}
		const set = limit + "forbear.limit.source=announced forbear.limit.unit=requests " + here
		require.Equal(t, map[string]string{set: "20"}, r.points("forbear.limit.max", "{unit}"))
		require.Equal(t, map[string]string{set: "15"}, r.points("forbear.limit.remaining", "{unit}"))
		require.Equal(t, map[string]string{set: "0.25"}, r.points("forbear.limit.utilization", "1"))
		require.Regexp(t, `^6[0-2]\.`, r.points("forbear.limit.reset_time", "s")[set])
		time.Sleep(90 * time.Second)
		require.Equal(t, map[string]string{set: "20"}, r.points("forbear.limit.remaining", "{unit}"))
		require.Equal(t, map[string]string{set: "0.00"}, r.points("forbear.limit.reset_time", "s"))
	})
}

// Limits of rules are reported as declared: those of a host or a key with its address.
func TestDeclaredLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 20}, otelforbear.Config{}, client.WithQueue(
			queue.WithRule(queue.Rule{Name: "own", Limits: []queue.Quota{queue.PerMinute(10).Named("own")}}),
			queue.WithRule(queue.Rule{Name: "all", Scope: queue.Global, Limits: []queue.Quota{queue.PerHour(100).Named("all")}})))
		for range 5 {
			require.NoError(t, r.get(t.Context(), "http://api.test/"))
		}
		const unit = " forbear.limit.source=declared forbear.limit.unit=requests"
		left := r.points("forbear.limit.remaining", "{unit}")
		require.Len(t, left, 3)
		require.Equal(t, "5", left["forbear.limit.name=own"+unit+" "+here])
		require.Equal(t, "95", left["forbear.limit.name=all"+unit])
		require.Equal(t, "0.50", r.points("forbear.limit.utilization", "1")["forbear.limit.name=own"+unit+" "+here])
		require.Regexp(t, `^[56]\d\.`, r.points("forbear.limit.reset_time", "s")["forbear.limit.name=own"+unit+" "+here])
	})
}

// Of several keys the one with the least left is reported, or each by its name.
func TestKeys(t *testing.T) {
	for _, named := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			servers := make(map[string]*api)
			r := newRig(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				s := servers[req.Header.Get("Authorization")]
				return s.RoundTrip(req)
			}), otelforbear.Config{KeyNames: named}, client.WithKeyNames(func(r *http.Request) string { return "tenant " + r.Header.Get("Authorization") }))
			for i := range 150 {
				key := strconv.Itoa(i)
				servers[key] = &api{limit: 200}
				for range 1 + i {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.test/", nil)
					require.NoError(t, err)
					req.Header.Set("Authorization", key)
					_, err = r.client.Do(req)
					require.NoError(t, err)
				}
			}
			left := r.points("forbear.limit.remaining", "{unit}")
			if !named {
				require.Equal(t, map[string]string{limit + "forbear.limit.source=announced forbear.limit.unit=requests " + here: "50"}, left)
				return
			}
			require.Len(t, left, 101)
			require.Contains(t, fmt.Sprint(left), "forbear.key.name=_OTHER")
			require.NotContains(t, fmt.Sprint(r.points("forbear.client.request.time_in_queue", "s")), "tenant")
		})
	}
}

// Whatever servers and callers name things, the number of series is bounded.
func TestCardinality(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &api{limit: 100, names: func(n int) string { return "limit-" + strconv.Itoa(n) }}
		r := newRig(t, server, otelforbear.Config{}, client.WithRetries(0), client.WithMaxWait(0))
		for i := range 60 {
			server.used, server.window = 1000, time.Now().Unix()/60
			require.NoError(t, r.get(client.WithKey(t.Context(), strconv.Itoa(i)), "http://api.test/"))
		}
		refusals := r.points("forbear.client.refusals", "{refusal}")
		require.Len(t, refusals, 33)
		require.Equal(t, "28", refusals["forbear.limit.name=_OTHER http.response.status_code=429 "+here])
		require.LessOrEqual(t, len(r.points("forbear.limit.max", "{unit}")), 33)
		server.limit = 1_000_000
		for i := range 1100 {
			require.NoError(t, r.get(t.Context(), fmt.Sprintf("http://host%d.test/", i)))
		}
		queued := r.points("forbear.client.request.queued", "{request}")
		require.Len(t, queued, 1001)
		require.Equal(t, "0", queued["server.address=_OTHER"])
	})
}

// Below the transport that starts spans, each attempt tells which it is.
func TestResends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &api{limit: 5, status: 503}
		spans := tracetest.NewSpanRecorder()
		tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
		base := otelforbear.CountResends(server)
		traced := roundTripper(func(req *http.Request) (*http.Response, error) { // as otelhttp does
			ctx, span := tracer.Start(req.Context(), "GET", trace.WithSpanKind(trace.SpanKindClient))
			defer span.End()
			return base.RoundTrip(req.WithContext(ctx))
		})
		r := newRig(t, traced, otelforbear.Config{})
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		ended := spans.Ended()
		require.Len(t, ended, 2)
		require.Empty(t, ended[0].Attributes())
		require.Equal(t, []attribute.KeyValue{attribute.Int("http.request.resend_count", 1)}, ended[1].Attributes())
	})
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	otelforbear.CountResends(nil).(interface{ CloseIdleConnections() }).CloseIdleConnections()
}

func TestWrongUse(t *testing.T) {
	_, err := otelforbear.New(otelforbear.Config{})
	require.ErrorContains(t, err, "neither")
	tracers := sdktrace.NewTracerProvider()
	o, err := otelforbear.New(otelforbear.Config{TracerProvider: tracers})
	require.NoError(t, err)
	transport, err := client.NewTransport(&api{limit: 5}, client.WithObserver(o.Observe))
	require.NoError(t, err)
	require.ErrorContains(t, o.Watch(transport), "MeterProvider")
	resp, err := (&http.Client{Transport: transport}).Get("http://api.test/") // spans alone are fine
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	o, err = otelforbear.New(otelforbear.Config{MeterProvider: sdk.NewMeterProvider()})
	require.NoError(t, err)
	require.ErrorContains(t, o.Watch(nil), "no transport")
	require.NoError(t, o.Watch(transport))
	require.ErrorContains(t, o.Watch(transport), "before")
}

func TestObserveAllocatesNothing(t *testing.T) {
	r := newRig(t, &api{limit: 5}, otelforbear.Config{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.test/", nil)
	require.NoError(t, err)
	admit := client.Event{Kind: client.EventAdmit, Request: req, Time: time.Now()}
	answer := client.Event{Kind: client.EventAnswer, Request: req, Time: time.Now()}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.observer.Observe(admit)
		r.observer.Observe(answer)
	}))
}

func BenchmarkObserve(b *testing.B) {
	r := newRig(b, &api{limit: 5}, otelforbear.Config{})
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://api.test/", nil)
	require.NoError(b, err)
	admit := client.Event{Kind: client.EventAdmit, Request: req, Time: time.Now()}
	answer := client.Event{Kind: client.EventAnswer, Request: req, Time: time.Now()}
	b.ReportAllocs()
	for b.Loop() {
		r.observer.Observe(admit)
		r.observer.Observe(answer)
	}
}

// BenchmarkRequest shows what an observer and metrics add to a request.
func BenchmarkRequest(b *testing.B) {
	answer := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{
			"X-Ratelimit-Limit": {"1000000000"}, "X-Ratelimit-Remaining": {"999999999"}, "X-Ratelimit-Reset": {"3600"},
		}, Request: req}, nil
	})
	bare, err := client.NewTransport(answer)
	require.NoError(b, err)
	defer bare.Close()
	observed := newRig(b, answer, otelforbear.Config{}).transport
	for name, transport := range map[string]*client.Transport{"bare": bare, "observed": observed} {
		b.Run(name, func(b *testing.B) {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://api.test/", nil)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := transport.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
			}
		})
	}
}
