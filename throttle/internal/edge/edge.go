// Package edge follows the limits in front of an API, such as those of a gateway, that speak only
// when they refuse.
//
// Start reading at [Limits]. The package imports nothing of this module but packages clock and
// eventlog.
package edge

import (
	"slices"
	"strings"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// Limits are the limits in front of the API of one key.
type Limits []*Limit

// A Limit is one in front of the API that speaks only when it refuses, under the names
// of the limit behind it: what is served tells of that one, what is refused of this. It is
// followed by the log of our own requests.
type Limit struct {
	Name string // of the window that it is told apart from

	limit  int64
	length clock.Instant
	log    eventlog.Log
	spoken clock.Instant // when it refused the last time
}

const (
	edgesMost = 4
	edgeKept  = 24 * 60 * 60 * clock.Second // without a refusal
)

// Find returns the limit with this name and number of requests, or nil.
func (l Limits) Find(name string, limit int64) *Limit {
	i := slices.IndexFunc(l, func(e *Limit) bool { return e.Name == name && e.limit == limit })
	if i < 0 {
		return nil
	}
	return l[i]
}

// Add returns a new limit with this name and number of requests, of which a refusal tells that it
// opens after so long.
func (l *Limits) Add(name string, limit int64, left clock.Instant) *Limit {
	if len(*l) >= edgesMost {
		*l = slices.Delete(*l, 0, 1)
	}
	e := &Limit{Name: strings.Clone(name), limit: limit, length: clock.UsualLength(max(left, clock.Millisecond))}
	*l = append(*l, e)
	return e
}

// Send counts n more as sent.
func (l Limits) Send(now clock.Instant, n int64) {
	for _, e := range l {
		e.log.Condense()
		e.log.Forget(now - 2*e.length)
		e.log.Add(now, n)
	}
}

// Cancel takes back n that were counted as sent at the given time and never were.
func (l Limits) Cancel(at clock.Instant, n int64) {
	for _, e := range l {
		e.log.Remove(at, n)
	}
}

// Forget drops the limits that have not refused for long, and those that became that of the window
// itself, as the function tells.
func (l *Limits) Forget(now clock.Instant, is func(name string, limit int64) bool) {
	*l = slices.DeleteFunc(*l, func(e *Limit) bool { return now > e.spoken+edgeKept || is(e.Name, e.limit) })
}

// Refuse takes in a refusal of n requests that were sent at the given time. One that the log does not
// explain shows that it looks further back. again says that an earlier refusal had the same cause.
func (e *Limit) Refuse(now, sent clock.Instant, n int64, rtt *clock.RTT, again bool) {
	if !again && e.spoken > 0 && 10*e.log.Between(sent-e.length-rtt.Slack(), sent) < 9*e.limit {
		e.length = clock.UsualLength(e.length + 1)
	}
	e.spoken = now
	e.log.Remove(sent, n)
}

// Ready returns when n more may go.
func (e *Limit) Ready(now clock.Instant, n int64, rtt *clock.RTT) clock.Instant {
	if n > e.limit {
		return now
	}
	return max(now, e.log.FallsTo(e.limit-n)+e.length+rtt.Slack())
}
