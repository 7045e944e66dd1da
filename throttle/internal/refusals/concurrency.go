package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A concurrency learns a limit on the requests in flight that the server does not announce.
// Such a server refuses what arrives while too many requests are in flight, and admits
// everything else, at any rate. A limit on a rate refuses no less with few requests in
// flight, nor does a server that sheds load: so the refusals at each number in flight tell
// these apart. See docs/learning.md.
type concurrency struct {
	limit  int64 // the most in flight; 0 if none is known
	log    concurrencyLog
	bodies bodies
	whole  bool // open bodies count too
	trial  concurrencyTrial

	first   int64   // the limit that was learned first
	proved  int64   // the limit before one more was tried
	full    float64 // requests served with as many in flight as the limit since it was last changed
	over    float64 // requests refused with more than proved in flight since then
	pause   float64 // how many make full until one more is tried
	strikes float64 // refusals within the limit, less those put down to chance
	row     int     // refusals in a row
	since   int64   // the last request sent before the limit was learned
	vain    int     // how often the limit turned out to be none
}

const (
	// One more in flight is tried after so many requests at the limit, and after twice as
	// many each time that it was too many: because so many of those requests were refused,
	// and such a share of them.
	concurrencyPause = 32
	concurrencyMost  = 4096
	concurrencyOver  = 2
	concurrencyShare = 0.2
	// So many refusals within the limit lower it. Each request served makes up for
	// concurrencyBelow of one.
	concurrencyStrikes = 3
	// A server that admits as many as the limit does not refuse so many in a row.
	concurrencyRow = 6
	// How many are in flight at the server is known to this part of the limit, if that is
	// not small.
	concurrencyNear  = 8
	concurrencySmall = 8
)

// known reports whether a limit is known or on trial. c may be nil.
func (c *concurrency) known() bool { return c != nil && c.limit > 0 }

// ready returns when n more may go: clock.Never if they have to wait for a response to those in flight, or
// for the end of a body. c may be nil.
func (c *concurrency) ready(v *View, now clock.Instant, n int64) clock.Instant {
	if !c.known() {
		return now
	}
	inFlight := v.Sent - v.Answered
	switch most := inFlight + c.open(); {
	case most == 0 || most+n <= c.limit:
		return now
	case inFlight > 0:
		return clock.Never
	}
	return max(now, c.bodies.due(v))
}

// open returns how many open bodies count.
func (c *concurrency) open() int64 {
	if c.whole {
		return c.bodies.open
	}
	return 0
}

// number returns how many were in flight when a request was sent.
func (c *concurrency) number(t *Request) int64 {
	if c.whole {
		return t.Burst.whole
	}
	return t.Burst.inFlight
}

// send counts a request as sent, with which so many are in flight. Requests sent within the
// slack may arrive in any order.
func (c *concurrency) send(v *View, now, slack clock.Instant, inFlight int64) *Burst {
	if c.whole && inFlight+c.bodies.open > c.limit && now >= c.bodies.due(v) {
		c.bodies.open = 0 // nobody seems to close them
	}
	return c.log.send(now, slack, inFlight, inFlight+c.bodies.open)
}

// served takes in that a request was served. c may be nil.
func (c *concurrency) served(v *View, now clock.Instant, t *Request) {
	if c == nil || t.Burst == nil {
		return
	}
	c.row = 0
	c.observe(t, false)
	c.trial.served(now)
	if !c.known() {
		return
	}
	if c.trial.on && c.trial.over(now, c.limit) && !c.trial.succeed(now) {
		c.fail(v, now)
		return
	}
	c.grow(c.number(t))
}

// observe counts a request.
func (c *concurrency) observe(t *Request, refused bool) {
	c.log.observe(t.Burst.inFlight, refused)
	if c.bodies.settled(t.At) {
		c.bodies.log.observe(t.Burst.whole, refused)
	}
}

// grow tries one more in flight after many requests were served at the limit.
func (c *concurrency) grow(n int64) {
	c.strikes = max(c.strikes-concurrencyBelow, 0)
	if n < c.limit {
		return
	}
	if c.full++; c.full >= c.pause {
		c.proved, c.full, c.over = c.limit, 0, 0
		c.limit++
	}
}

// refused takes in a refusal. It reports whether the limit explains it, so that it teaches
// nothing else.
func (c *concurrency) refused(v *View, now clock.Instant, t *Request) bool {
	if t.Burst == nil {
		return false
	}
	c.observe(t, true)
	c.trial.now.refused++
	n := c.number(t)
	switch {
	case !c.known():
		return c.learn(v, now, t)
	case t.Number > c.since && !c.credible(n):
		c.fail(v, now)
		return false
	case n > c.limit:
		return true
	case v.all.limits.explains(v, t) && !(c.trial.on && n >= c.near(c.proved)):
		return false
	case n > c.proved:
		if c.over++; c.over >= concurrencyOver && c.over > concurrencyShare*(c.over+c.full) {
			c.limit, c.full = c.proved, 0
			c.pause = min(2*c.pause, concurrencyMost)
		}
		return true
	}
	return c.strike(v, now, n)
}

// learn puts a limit on trial, if one explains the refusals so far and the newest, of t.
func (c *concurrency) learn(v *View, now clock.Instant, t *Request) bool {
	limit, sure := c.log.estimate(c.vain, 0)
	took := v.RTT.Mean
	if c.bodies.took > bodyLong*took {
		if most, surer := c.bodies.log.estimate(c.vain, 1); surer > sure {
			limit, c.whole, took = most, true, c.bodies.took
		}
	}
	if limit == 0 || c.number(t) <= limit || !c.trial.begin(v, now, limit, took) {
		c.whole = false
		return false
	}
	c.limit, c.first, c.proved, c.pause, c.since = limit, limit, limit, concurrencyPause, v.Sent
	v.reopen(now)
	v.all.sheds.trial.stop()
	v.all.limits.excuse()
	v.all.limits.hurry()
	return true
}

// credible reports whether there may still be a limit, as another request was refused.
func (c *concurrency) credible(n int64) bool {
	if c.row++; c.row >= concurrencyRow {
		return false
	}
	return !c.trial.on || !c.trial.refused(n >= c.near(c.proved))
}

// near returns the smallest number of requests in flight that may be as many as n at the
// server.
func (*concurrency) near(n int64) int64 {
	if n < concurrencySmall {
		return n + 1
	}
	return n - n/concurrencyNear
}

// strike takes in a refusal of a request within the limit. Several lower the limit; one that
// has to be lowered by half is none. It reports whether the limit explains the refusal.
func (c *concurrency) strike(v *View, now clock.Instant, n int64) bool {
	if c.strikes++; c.strikes >= concurrencyStrikes {
		c.limit -= 1 + c.limit/16
		c.proved, c.full, c.strikes = c.limit, 0, 0
		if 2*c.limit < c.first {
			c.fail(v, now)
			return false
		}
	}
	return n >= c.near(c.limit)
}

// fail gives up a limit that is none.
func (c *concurrency) fail(v *View, now clock.Instant) {
	c.trial.fail(v, now)
	c.bodies.log = concurrencyLog{}
	*c = concurrency{vain: c.vain + 1, log: concurrencyLog{last: c.log.last}, bodies: c.bodies}
}
