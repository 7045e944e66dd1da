package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// A clock translates between the clock of a server and ours. Each Date that the
// server sends bounds the offset between both to a second, the step of the
// notation, and the round trip; the intersection of the bounds soon shrinks
// far below that.
type clock struct {
	// origin is the instant 0, and unix the same in nanoseconds since 1970; 0 is not
	// known.
	origin time.Time
	unix   int64
	// offset is the server's time less ours. known says whether the server ever
	// told its time; until it does, both clocks are taken to agree to a second.
	offset interval
	known  bool
}

// startClock returns a clock that begins now.
func startClock(now time.Time) clock {
	c := clock{origin: now}
	if reckonable(now) {
		c.unix = now.UnixNano()
	}
	return c
}

// reckonable reports whether a time is between 1970 and 2242, so that nanoseconds since
// 1970 hold it and the difference to another one.
func reckonable(t time.Time) bool { return uint64(t.Unix()) < 1<<33 }

// server returns a moment of the server's clock, as if it were one of ours. It is
// t.Sub(origin), which takes ten times as long where only one of them is monotonic.
func (c *clock) server(t time.Time) instant {
	if c.unix != 0 && reckonable(t) {
		return bounded(time.Duration(t.UnixNano() - c.unix))
	}
	return bounded(t.Sub(c.origin))
}

// dateStep is the step of the Date field (RFC 9110, section 5.6.7), which servers
// cut rather than round.
const dateStep = second

// observe learns from a date that a server wrote into a response between sent and
// received.
func (c *clock) observe(date time.Time, sent, received instant) {
	server := c.server(date)
	bound := interval{server - received, server + dateStep - sent}
	if c.known && c.offset.meets(bound) {
		c.offset = c.offset.intersect(bound)
		return
	}
	// The first date, or a clock that was set meanwhile: the newest word counts.
	c.offset, c.known = bound, true
}

// farDay is a day: no notation has a larger step.
const farDay = 24 * 60 * 60 * second

// instants returns the moments on our clock that a reset may mean, when the
// response that told it was made between sent and received.
func (c *clock) instants(r header.Reset, sent, received instant) interval {
	step := min(bounded(r.Resolution), farDay)
	if r.At.IsZero() {
		in := bounded(r.In)
		return interval{sent + in - step, received + in + step}
	}
	offset := c.offset
	if !c.known {
		offset = interval{-second, second}
	}
	server := c.server(r.At)
	return interval{server - step - offset.latest, server + step - offset.earliest}
}
