// Package otelforbear reports what a client does as OpenTelemetry metrics and spans.
//
//	observer, err := otelforbear.New(otelforbear.Config{MeterProvider: meters, TracerProvider: tracers})
//	if err != nil {
//		return err
//	}
//	base := otelhttp.NewTransport(otelforbear.CountResends(http.DefaultTransport))
//	transport, err := client.NewTransport(base, client.WithObserver(observer.Observe))
//	if err != nil {
//		return err
//	}
//	err = observer.Watch(transport)
//
// Package otelhttp belongs below the client: above it, one span covers the wait and all
// attempts of a request. The instruments and where other transports belong are described
// in docs/observability.md.
package otelforbear

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/forbear-go/forbear/client/otelforbear"

// A Config says what an [Observer] reports, and where to.
type Config struct {
	// MeterProvider makes the instruments. If it is nil there are no metrics.
	MeterProvider metric.MeterProvider
	// TracerProvider makes the tracer of the spans. If it is nil there are no spans.
	TracerProvider trace.TracerProvider
	// KeyNames adds the names of keys to the metrics of limits, as
	// [client.WithKeyName] sets them. Beyond 100 names the rest are one, "_OTHER".
	KeyNames bool
}

// An Observer reports the events of transports. Make it with [New]. It is safe for
// concurrent use.
type Observer struct {
	meter    metric.Meter
	tracer   trace.Tracer // nil for none
	keyNames bool

	inQueue                       metric.Float64Histogram
	refusals, retries, rejections metric.Int64Counter
	queued, active                metric.Int64ObservableUpDownCounter
	limits                        *limitGauges
	fleet                         *fleetGauges

	hosts hosts
	keys  names
	waits sync.Map // when a request began to wait, by *http.Request

	mu      sync.Mutex
	watched []*client.Transport
}

// queueBuckets are the bounds of the histogram of waits, in seconds.
var queueBuckets = []float64{0, .005, .01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}

// New returns an observer, whose Observe method is for [client.WithObserver].
func New(c Config) (*Observer, error) {
	if c.MeterProvider == nil && c.TracerProvider == nil {
		return nil, errors.New("otelforbear: Config has neither a MeterProvider nor a TracerProvider")
	}
	o := &Observer{keyNames: c.KeyNames}
	if c.TracerProvider != nil {
		o.tracer = c.TracerProvider.Tracer(scope)
	}
	if c.MeterProvider == nil {
		return o, nil
	}
	o.meter = c.MeterProvider.Meter(scope)
	return o, o.instruments()
}

// instruments makes the instruments.
func (o *Observer) instruments() error {
	var errs [7]error
	o.inQueue, errs[0] = o.meter.Float64Histogram("forbear.client.request.time_in_queue", metric.WithUnit("s"),
		metric.WithDescription("How long requests waited in the queue."), metric.WithExplicitBucketBoundaries(queueBuckets...))
	o.refusals, errs[1] = o.meter.Int64Counter("forbear.client.refusals", metric.WithUnit("{refusal}"),
		metric.WithDescription("Attempts that the server refused because of a limit."))
	o.retries, errs[2] = o.meter.Int64Counter("forbear.client.retries", metric.WithUnit("{retry}"),
		metric.WithDescription("Requests that were sent again."))
	o.rejections, errs[3] = o.meter.Int64Counter("forbear.client.rejections", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that the client did not send, or not once more."))
	o.queued, errs[4] = o.meter.Int64ObservableUpDownCounter("forbear.client.request.queued", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that wait in the queue."))
	o.active, errs[5] = o.meter.Int64ObservableUpDownCounter("forbear.client.request.active", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that are on the wire."))
	if err := errors.Join(errs[:6]...); err != nil {
		return err
	}
	_, errs[6] = o.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		o.hosts.each(func(h *host) {
			to.ObserveInt64(o.queued, h.queued.Load(), metric.WithAttributes(h.address))
			to.ObserveInt64(o.active, h.active.Load(), metric.WithAttributes(h.address))
		})
		return nil
	}, o.queued, o.active)
	if errs[6] != nil {
		return errs[6]
	}
	var err error
	if o.limits, err = newLimitGauges(o.meter); err != nil {
		return err
	}
	o.fleet, err = newFleetGauges(o.meter)
	return err
}

// Observe reports an event; it is for [client.WithObserver].
func (o *Observer) Observe(e client.Event) {
	if e.Request == nil {
		if e.Kind == client.EventStoreAway && o.meter != nil {
			o.fleet.outages.Add(context.Background(), 1)
		}
		return
	}
	h := o.hosts.of(e.Request)
	switch e.Kind {
	case client.EventWait:
		if _, again := o.waits.Swap(e.Request, wait{e.Time, e.Limit}); !again {
			h.queued.Add(1)
		}
	case client.EventAdmit:
		h.active.Add(1)
		waited := o.stopWaiting(h, e.Request)
		o.leaveQueue(&e, h, admitted, waited)
	case client.EventAnswer:
		h.active.Add(-1)
	case client.EventRefuse:
		h.active.Add(-1)
		if o.meter != nil {
			set := append(h.and(e.Limit), attribute.Int("http.response.status_code", e.Status))
			o.refusals.Add(e.Request.Context(), 1, metric.WithAttributes(set...))
		}
	case client.EventRetry:
		if o.meter != nil {
			o.retries.Add(e.Request.Context(), 1, metric.WithAttributes(h.address, attribute.String("error.type", causeOf(e.Status, e.Err))))
		}
	case client.EventGiveUp:
		o.giveUp(&e, h)
	}
}

// A wait is when a request began to wait, and what for.
type wait struct {
	began time.Time
	limit string
}

// stopWaiting returns since when a request waits, and notes that it no longer does. It
// returns the zero wait if it never did.
func (o *Observer) stopWaiting(h *host, req *http.Request) wait {
	w, ok := o.waits.LoadAndDelete(req)
	if !ok {
		return wait{}
	}
	h.queued.Add(-1)
	return w.(wait)
}

// giveUp reports a request that was not sent, or not once more.
func (o *Observer) giveUp(e *client.Event, h *host) {
	waited := o.stopWaiting(h, e.Request)
	limited, ok := errors.AsType[*client.Error](e.Err)
	if !ok {
		return // it was sent as often as it may be; the queue had no part in that
	}
	if errors.Is(limited.Reason, context.Canceled) {
		o.leaveQueue(e, h, canceled, waited)
		return
	}
	o.leaveQueue(e, h, rejected, waited)
	if o.meter != nil {
		o.rejections.Add(e.Request.Context(), 1, metric.WithAttributes(h.address, attribute.String("error.type", reasonOf(limited))))
	}
}

// leastSpan is the shortest wait that makes a span.
const leastSpan = time.Millisecond

// leaveQueue reports that a request left the queue.
func (o *Observer) leaveQueue(e *client.Event, h *host, how outcome, waited wait) {
	took, limit := e.Delay, e.Limit
	if !waited.began.IsZero() {
		took = max(e.Time.Sub(waited.began), 0)
		if limit == "" {
			limit = waited.limit
		}
	}
	ctx := e.Request.Context()
	if o.meter != nil {
		o.inQueue.Record(ctx, took.Seconds(), h.queueOptions(limit, how)...)
	}
	if o.tracer == nil || took <= leastSpan {
		return
	}
	_, span := o.tracer.Start(ctx, "forbear.queue", trace.WithTimestamp(e.Time.Add(-took)), trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(h.queueAttributes(limit, how)...))
	span.End(trace.WithTimestamp(e.Time))
}

// causeOf says why a request is sent again, as the semantic conventions have it.
func causeOf(status int, err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case status > 0:
		return strconv.Itoa(status)
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return other
}

// reasonOf says why a request was rejected.
func reasonOf(err *client.Error) string {
	for _, r := range [...]struct {
		err  error
		name string
	}{
		{client.ErrMaxWait, "max_wait"},
		{client.ErrNoWait, "no_wait"},
		{client.ErrFull, "queue_full"},
		{client.ErrDropped, "dropped"},
		{client.ErrCircuitOpen, "circuit_open"},
		{client.ErrClosed, "closed"},
		{context.DeadlineExceeded, "deadline"},
	} {
		if errors.Is(err.Reason, r.err) {
			return r.name
		}
	}
	return other
}
