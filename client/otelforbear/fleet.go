package otelforbear

import (
	"net/url"

	"github.com/forbear-go/forbear/client"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// A sharedKeys counts the keys of a host whose quotas are shared with other processes in
// the same way.
type sharedKeys map[[2]string]int64 // by host and state

// The states of a key, as forbear.fleet.state names them.
const (
	fleetShared = "shared" // the fleet grants what requests spend
	fleetAway   = "away"   // its store does not answer
	fleetAlone  = "alone"  // there is nothing to share
)

func newFleetGauge(m metric.Meter) (metric.Int64ObservableUpDownCounter, error) {
	return m.Int64ObservableUpDownCounter("forbear.fleet.keys", metric.WithUnit("{key}"),
		metric.WithDescription("Keys whose quota this process shares, or should share, with others."))
}

// add counts the keys of a snapshot.
func (k sharedKeys) add(o *Observer, all []client.Status) {
	for i := range all {
		s := &all[i]
		if s.Shared == nil || s.Host == "" {
			continue
		}
		state := fleetAlone
		switch {
		case s.Shared.Away:
			state = fleetAway
		case s.Shared.Active:
			state = fleetShared
		}
		address := o.hosts.named(s.Host, &url.URL{Host: s.Host}).address.Value.AsString()
		for _, each := range []string{fleetShared, fleetAway, fleetAlone} {
			k[[2]string{address, each}] += 0 // a state without keys is reported too
		}
		k[[2]string{address, state}]++
	}
}

func (k sharedKeys) report(o *Observer, to metric.Observer) {
	for id, n := range k {
		to.ObserveInt64(o.fleetKeys, n, metric.WithAttributes(
			attribute.String("server.address", id[0]), attribute.String("forbear.fleet.state", id[1])))
	}
}
