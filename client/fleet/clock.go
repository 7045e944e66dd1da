package fleet

import "time"

// A clock translates between the clock of the store and ours. Each reply carries a moment
// of the store's clock, which lies between the sending of that very call and the receipt
// of its reply: so the offset is known as an interval, whatever the call took.
type clock struct {
	known       bool
	least, most time.Duration // the store's time less ours, from origin
	origin      time.Time
	checked     time.Time
}

// drift is by how much two clocks run apart, at the most.
const drift = 10000

// observe takes in that the store's clock said ms, cut to milliseconds, between sent and received.
func (c *clock) observe(ms int64, sent, received time.Time) {
	if c.origin.IsZero() {
		c.origin = sent
	}
	at := time.Duration(ms) * time.Millisecond
	least, most := at-received.Sub(c.origin), at+time.Millisecond-sent.Sub(c.origin)
	if apart := received.Sub(c.checked) / drift; c.known {
		c.least, c.most = c.least-apart, c.most+apart
	}
	c.checked = received
	if c.known && least <= c.most && most >= c.least {
		c.least, c.most = max(c.least, least), min(c.most, most)
		return
	}
	c.least, c.most, c.known = least, most, true // the first, or the clock was set
}

// store returns the bounds, in the store's milliseconds, of times on our clock.
func (c *clock) store(earliest, latest time.Time) (int64, int64) {
	lo, hi := earliest.Sub(c.origin)+c.least, latest.Sub(c.origin)+c.most
	return floor(lo), floor(hi) + 1
}

// latest returns the latest that a moment of the store's clock may be on ours.
func (c *clock) latest(ms int64) time.Time {
	return c.origin.Add(time.Duration(ms)*time.Millisecond - c.least)
}

// earliest returns the earliest that it may be.
func (c *clock) earliest(ms int64) time.Time {
	return c.origin.Add(time.Duration(ms)*time.Millisecond - c.most)
}

func floor(d time.Duration) int64 {
	ms := int64(d / time.Millisecond)
	if d%time.Millisecond < 0 {
		ms--
	}
	return ms
}
