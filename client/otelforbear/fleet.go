package otelforbear

import (
	"errors"
	"net/url"

	"github.com/forbear-go/forbear/client"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The states of a key, as forbear.fleet.state names them.
const (
	fleetShared = "shared" // the fleet grants what requests spend
	fleetAway   = "away"   // its store does not answer
	fleetAlone  = "alone"  // there is nothing to share
)

// fleetGauges tell how quotas are shared with other processes.
type fleetGauges struct {
	keys, held metric.Int64ObservableUpDownCounter
	members    metric.Int64ObservableGauge
	outages    metric.Int64Counter
}

func newFleetGauges(m metric.Meter) (*fleetGauges, error) {
	var g fleetGauges
	var errs [4]error
	g.keys, errs[0] = m.Int64ObservableUpDownCounter("forbear.fleet.keys", metric.WithUnit("{key}"),
		metric.WithDescription("Keys whose quota this process shares, or should share, with others."))
	g.held, errs[1] = m.Int64ObservableUpDownCounter("forbear.fleet.held", metric.WithUnit("{unit}"),
		metric.WithDescription("Units of cost that this process may spend without another call to the store."))
	g.members, errs[2] = m.Int64ObservableGauge("forbear.fleet.members", metric.WithUnit("{process}"),
		metric.WithDescription("Processes that share a quota, as far as was heard last; the most of any key."))
	g.outages, errs[3] = m.Int64Counter("forbear.fleet.outages", metric.WithUnit("{outage}"),
		metric.WithDescription("How often the store of the fleet went away, as each key noticed."))
	return &g, errors.Join(errs[:]...)
}

// A fleetCount is what the keys of a host have in a fleet.
type fleetCount struct {
	keys          map[string]int64 // by state
	held, members int64
}

// fleetCounts are those of all hosts, by address.
type fleetCounts map[string]*fleetCount

// add counts the keys of a snapshot.
func (f fleetCounts) add(o *Observer, all []client.Status) {
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
		c := f[address]
		if c == nil { // a state without keys is reported too
			c = &fleetCount{keys: map[string]int64{fleetShared: 0, fleetAway: 0, fleetAlone: 0}}
			f[address] = c
		}
		c.keys[state]++
		c.members = max(c.members, int64(s.Shared.Members))
		if s.Shared.Active {
			c.held += int64(s.Shared.Held)
		}
	}
}

func (f fleetCounts) report(g *fleetGauges, to metric.Observer) {
	for address, c := range f {
		host := attribute.String("server.address", address)
		for state, n := range c.keys {
			to.ObserveInt64(g.keys, n, metric.WithAttributes(host, attribute.String("forbear.fleet.state", state)))
		}
		to.ObserveInt64(g.held, c.held, metric.WithAttributes(host))
		to.ObserveInt64(g.members, c.members, metric.WithAttributes(host))
	}
}
