// Package margin estimates how long before its deadline a request has to be sent at the latest.
package margin

import (
	"sync/atomic"
	"time"
)

// An Estimator says how long before the deadline of its context a request that has to wait must be sent. If it is
// sent later, it spends quota on a response that comes too late. Where callers have more to send than a limit
// allows, all wait as long as they can, so that without a margin each is sent at the last moment.
//
// The margin grows with each request that was sent late and got no response in time, and shrinks with each that
// did, until one in lostShare gets none. It may be used by several goroutines: an update that is lost to
// another does no harm.
type Estimator struct{ is, trip atomic.Int64 }

const (
	lostShare = 20
	stepPart  = 4 // part of a round trip
	smooth    = 8 // round trips
	most      = 8 // round trips
	least     = int64(time.Millisecond)
)

// Margin returns it; 0 is none.
func (m *Estimator) Margin() time.Duration { return time.Duration(m.is.Load()) }

// Observe takes in whether a request that had waited got its response in time, and how long that took.
func (m *Estimator) Observe(lost bool, took time.Duration) {
	trip := m.trip.Load()
	if trip == 0 {
		trip = int64(took)
	}
	if !lost || int64(took) > trip { // it would have taken longer
		trip += (int64(took) - trip) / smooth
	}
	trip = max(trip, least)
	m.trip.Store(trip)
	is, step := m.is.Load(), trip/stepPart
	if lost {
		is += step
	}
	if is > 0 {
		m.is.Store(min(max(0, is-step/lostShare), most*trip))
	}
}
