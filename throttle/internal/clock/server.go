package clock

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// A Server translates between the clock of a server and ours. Each Date that the
// server sends bounds the offset between both to a second, the step of the
// notation, and the round trip; the intersection of the bounds soon shrinks
// far below that.
type Server struct {
	// Origin is the instant 0, and unix the same in nanoseconds since 1970; 0 is not
	// known.
	Origin time.Time
	unix   int64
	// Offset is the server's time less ours. known says whether the server ever
	// told its time; until it does, both clocks are taken to agree to a second.
	Offset Interval
	Known  bool
}

// Start returns a clock that begins now.
func Start(now time.Time) Server {
	c := Server{Origin: now}
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
func (c *Server) server(t time.Time) Instant {
	if c.unix != 0 && reckonable(t) {
		return Bounded(time.Duration(t.UnixNano() - c.unix))
	}
	return Bounded(t.Sub(c.Origin))
}

// dateStep is the step of the Date field (RFC 9110, section 5.6.7), which servers
// cut rather than round.
const dateStep = Second

// Observe learns from a date that a server wrote into a response between sent and
// received.
func (c *Server) Observe(date time.Time, sent, received Instant) {
	server := c.server(date)
	bound := Interval{server - received, server + dateStep - sent}
	if c.Known && c.Offset.Meets(bound) {
		c.Offset = c.Offset.Intersect(bound)
		return
	}
	// The first date, or a clock that was set meanwhile: the newest word counts.
	c.Offset, c.Known = bound, true
}

// offset returns the server's time less ours.
func (c *Server) offset() Interval {
	if !c.Known {
		return Interval{-Second, Second}
	}
	return c.Offset
}

// Turn returns when the clock of the server reaches the next multiple of a length of time, such
// as a full minute, that it has surely not reached now. It reports whether that is known.
func (c *Server) Turn(now, length Instant) (Interval, bool) {
	if c.unix == 0 {
		return Interval{}, false
	}
	offset := c.offset()
	past := Instant(c.unix%int64(length)) + now + offset.Latest
	at := now + length - (past%length+length)%length
	return Interval{at, at + offset.Width()}, true
}

// FarDay is a day: no notation has a larger step.
const FarDay = 24 * 60 * 60 * Second

// Instants returns the moments on our clock that a reset may mean, when the
// response that told it was made between sent and received.
func (c *Server) Instants(r header.Reset, sent, received Instant) Interval {
	step := min(Bounded(r.Resolution), FarDay)
	if r.At.IsZero() {
		in := Bounded(r.In)
		return Interval{sent + in - step, received + in + step}
	}
	offset, server := c.offset(), c.server(r.At)
	return Interval{server - step - offset.Latest, server + step - offset.Earliest}
}
