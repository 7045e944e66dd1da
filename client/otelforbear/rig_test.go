package otelforbear_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
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
