package otelforbear

import (
	"context"
	"errors"
	"net/url"
	"slices"
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
// reported, whichever of the watched transports it belongs to. It is an error to watch a
// transport twice, or without a MeterProvider.
func (o *Observer) Watch(t *client.Transport) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case t == nil:
		return errors.New("otelforbear: Watch got no transport")
	case o.meter == nil:
		return errors.New("otelforbear: Watch needs a MeterProvider")
	case slices.Contains(o.watched, t):
		return errors.New("otelforbear: Watch was called with this transport before")
	}
	if len(o.watched) == 0 {
		_, err := o.meter.RegisterCallback(o.collectLimits, o.limits.max, o.limits.remaining, o.limits.used, o.limits.reset,
			o.fleet.keys, o.fleet.held, o.fleet.members)
		if err != nil {
			return err
		}
	}
	o.watched = append(o.watched, t)
	return nil
}

// collectLimits reports the limits of all transports that are watched.
func (o *Observer) collectLimits(_ context.Context, to metric.Observer) error {
	o.mu.Lock()
	watched := o.watched
	o.mu.Unlock()
	now, all, shared := time.Now(), make(leastLeft), make(fleetCounts)
	for _, t := range watched {
		keys := t.Snapshot()
		o.addLimits(all, keys, t.Declared(), now)
		shared.add(o, keys)
	}
	o.report(to, all, now)
	shared.report(o.fleet, to)
	return nil
}

// leastLeft is the window with the least left of each series.
type leastLeft map[series]*throttle.WindowStatus

func (l leastLeft) add(id series, w *throttle.WindowStatus, now time.Time) {
	if had := l[id]; had == nil || left(w, now)*max(had.Limit, 1) < left(had, now)*max(w.Limit, 1) {
		l[id] = w
	}
}

// A series is what tells limits apart.
type series struct{ address, key, name, unit, source string }

// addLimits adds the limits of one transport: those that it knows, and those of rules.
func (o *Observer) addLimits(to leastLeft, all []client.Status, declared []queue.Declared, now time.Time) {
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
			to.add(o.seriesOf(s, w, sourceOf(s, w)), w, now)
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
		w := &throttle.WindowStatus{Name: d.Name, Unit: d.Unit, Limit: d.Limit, Credit: d.Remaining, Latest: d.Full, Kind: throttle.Rolling}
		to.add(o.seriesOf(s, w, declaredLimit), w, now)
	}
}

// report reports one window for each series.
func (o *Observer) report(to metric.Observer, all leastLeft, now time.Time) {
	for id, w := range all {
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

// The sources of limits, as forbear.limit.source names them.
const (
	announcedLimit = "announced" // by the server
	learnedLimit   = "learned"   // from refusals
	declaredLimit  = "declared"  // by the program
	sharedLimit    = "shared"    // by the server, and spent together with other processes
)

func sourceOf(s *client.Status, w *throttle.WindowStatus) string {
	switch {
	case w.Name == throttle.Learned:
		return learnedLimit
	case s.Shared != nil && s.Shared.Active:
		return sharedLimit
	}
	return announcedLimit
}

func (o *Observer) seriesOf(s *client.Status, w *throttle.WindowStatus, source string) series {
	h := o.hosts.named(s.Host, &url.URL{Host: s.Host})
	id := series{address: h.address.Value.AsString(), name: h.limits.bound(w.Name, mostLimits), unit: w.Unit, source: source}
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
