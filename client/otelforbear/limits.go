package otelforbear

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// limitGauges tell of limits.
type limitGauges struct {
	max, remaining metric.Int64ObservableGauge
	used, reset    metric.Float64ObservableGauge
}

func newLimitGauges(m metric.Meter) (*limitGauges, error) {
	var errs [4]error
	var g limitGauges
	g.max, errs[0] = m.Int64ObservableGauge("forbear.limit.max", metric.WithUnit("{unit}"),
		metric.WithDescription("The most that a limit allows, in the unit that forbear.limit.unit names."))
	g.remaining, errs[1] = m.Int64ObservableGauge("forbear.limit.remaining", metric.WithUnit("{unit}"),
		metric.WithDescription("What is left of a limit for this client."))
	g.used, errs[2] = m.Float64ObservableGauge("forbear.limit.utilization", metric.WithUnit("1"),
		metric.WithDescription("The part of a limit that is not left for this client."))
	g.reset, errs[3] = m.Float64ObservableGauge("forbear.limit.reset_time", metric.WithUnit("s"),
		metric.WithDescription("How long until a limit opens again."))
	return &g, errors.Join(errs[:]...)
}

// Watch reports the limits that t knows of whenever metrics are collected, which takes
// one snapshot of t. Of several keys with the same limit, the one with the least left is
// reported. It is an error to watch a transport twice, or without a MeterProvider.
func (o *Observer) Watch(t *client.Transport) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case t == nil:
		return errors.New("otelforbear: Watch got no transport")
	case o.meter == nil:
		return errors.New("otelforbear: Watch needs a MeterProvider")
	case o.watched[t]:
		return errors.New("otelforbear: Watch was called with this transport before")
	}
	_, err := o.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		o.observeLimits(to, t.Snapshot(), t.Declared(), time.Now())
		return nil
	}, o.limits.max, o.limits.remaining, o.limits.used, o.limits.reset)
	o.watched[t] = err == nil
	return err
}

// A series is what tells limits apart.
type series struct{ address, key, name, unit, source string }

func (o *Observer) observeLimits(to metric.Observer, all []client.Status, declared []queue.Declared, now time.Time) {
	least := make(map[series]*throttle.WindowStatus)
	add := func(id series, w *throttle.WindowStatus) {
		if had := least[id]; had == nil || left(w, now)*max(had.Limit, 1) < left(had, now)*max(w.Limit, 1) {
			least[id] = w
		}
	}
	keys := make(map[string]*client.Status)
	for i := range all {
		s := &all[i]
		if s.Host == "" {
			continue // none of its requests is over
		}
		keys[s.Key] = s
		for j := range s.Windows {
			w := &s.Windows[j]
			if w.Limit < 0 {
				continue
			}
			add(o.seriesOf(s, w), w)
		}
	}
	for i := range declared {
		d := &declared[i]
		s := &client.Status{Host: d.Host}
		if d.Key != "" {
			if s = keys[d.Key]; s == nil {
				continue
			}
		}
		w := &throttle.WindowStatus{Name: d.Name, Limit: d.Limit, Credit: d.Remaining, Latest: d.Full, Kind: throttle.Rolling}
		id := o.seriesOf(s, w)
		id.source = "declared"
		add(id, w)
	}
	for id, w := range least {
		set := []attribute.KeyValue{
			attribute.String("forbear.limit.name", id.name),
			attribute.String("forbear.limit.unit", id.unit), attribute.String("forbear.limit.source", id.source),
		}
		if id.address != "" { // it is of one host
			set = append(set, attribute.String("server.address", id.address))
		}
		if id.key != "" {
			set = append(set, attribute.String("forbear.key.name", id.key))
		}
		with := metric.WithAttributeSet(attribute.NewSet(set...))
		to.ObserveInt64(o.limits.max, int64(w.Limit), with)
		to.ObserveInt64(o.limits.remaining, int64(left(w, now)), with)
		if w.Limit > 0 {
			to.ObserveFloat64(o.limits.used, 1-float64(left(w, now))/float64(w.Limit), with)
		}
		if !w.Latest.IsZero() {
			to.ObserveFloat64(o.limits.reset, max(w.Latest.Sub(now).Seconds(), 0), with)
		}
	}
}

func (o *Observer) seriesOf(s *client.Status, w *throttle.WindowStatus) series {
	h := o.hosts.named(s.Host, &url.URL{Host: s.Host})
	id := series{address: h.address.Value.AsString(), name: h.limits.bound(w.Name, mostLimits), unit: w.Unit, source: "announced"}
	if w.Name == throttle.Learned {
		id.source = "learned"
	}
	if id.unit == "" {
		id.unit = "requests"
	}
	if o.keyNames {
		id.key = o.keys.bound(s.Name, mostKeys)
	}
	return id
}

// left returns what is left of a limit: all of it once it has opened again.
func left(w *throttle.WindowStatus, now time.Time) int {
	if !w.Latest.IsZero() && !w.Latest.After(now) && (w.Kind == throttle.Unknown || w.Kind == throttle.Fixed) {
		return w.Limit
	}
	return min(max(w.Credit, 0), w.Limit)
}
