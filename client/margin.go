package client

import (
	"sync/atomic"
	"time"
)

// A margin is how long before the deadline of its context a request has to be sent at the latest. One that has
// waited and is sent later spends quota on a response that comes too late. Where callers have more to send than
// a limit allows, all wait as long as they can, so that without a margin each is sent at the last moment.
//
// It grows with each request that was sent late and got no response in time, and shrinks with each that did,
// until one in marginLost gets none. Updates that are lost to a race do no harm.
type margin struct{ is, trip atomic.Int64 }

const (
	marginLost = 20
	marginStep = 4 // part of a round trip
	tripSmooth = 8 // round trips
	tripLeast  = int64(time.Millisecond)
)

// last returns the margin.
func (m *margin) last() time.Duration { return time.Duration(m.is.Load()) }

// observe takes in whether a request that had waited got its response in time, and how long that took.
func (m *margin) observe(lost bool, took time.Duration) {
	trip := m.trip.Load()
	if trip == 0 {
		trip = int64(took)
	}
	if !lost {
		trip += (int64(took) - trip) / tripSmooth
	}
	trip = max(trip, tripLeast)
	m.trip.Store(trip)
	step := trip / marginStep
	if is := m.is.Load(); lost {
		m.is.Store(is + step - step/marginLost)
	} else if is > 0 {
		m.is.Store(max(0, is-step/marginLost))
	}
}

// observeMargin takes in what became of a request that had waited. If it had most of its time left when it was
// sent, it was not the wait that made it late.
func (a *attempt) observeMargin(who *principal, ans *answer) {
	deadline, ok := a.req.Context().Deadline()
	if !ok {
		return
	}
	now := time.Now()
	lost := ans.err != nil && !now.Before(deadline)
	left := deadline.Sub(a.taken)
	if ans.err != nil && !lost || lost && left > a.delay {
		return
	}
	who.margin.observe(lost, now.Sub(a.taken))
}
