package otelforbear_test

import (
	"context"
	"fmt"
	"net/http"
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
