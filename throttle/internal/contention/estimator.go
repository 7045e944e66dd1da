// Package contention estimates what other clients spend of a window's quota, and which part of
// what is left is ours.
//
// It reads no clock and imports nothing of this module but packages clock, eventlog and kind.
// Start reading here; turns.go is about clients that send one after the other, rivals.go about
// those that do not yield, and replicas.go about servers that count apart.
package contention

import (
	"math"
	"math/rand/v2"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/kind"
)

// An Estimator estimates what others spend of a window's quota, and which part of what
// is left is ours. What is left falls by our own requests; by how much more it
// falls, others send. As long as others are there, we spend our part of what is
// left and no more, so that clients that do the same never want more than there is.
type Estimator struct {
	from   int64 // what was left when the window was first told of:
	number int64 // by the answer to this request,
	sure   int64 // before which so many had been counted for sure
	begun  bool
	expect uint8         // so many clients are believed to be there at first; see Expect
	newest int64         // the newest request whose answer was heard
	heard  clock.Instant // when
	left   int64         // what that one told

	part  float64       // of all that was spent, ours, unless it is yet to be reckoned; see ours
	due   bool          // it is
	past  float64       // the same at the end of the last window
	until clock.Instant // others are believed to be there until then
	delay clock.Instant // of the next probe, so that clients that wait for the same reset do not collide
	back  int64         // so many were given back of what was sent since the newest answer

	// Where the window rolls, our part is what our log may hold, and where a bucket
	// refills what it held then and refills since.
	holds float64
	low   int64 // the least that was left, and
	lower int64 // the same before that, as far as it was followed,
	most  int64 // the most that our log held, until
	next  clock.Instant

	turns    turns
	rivals   rivals
	replicas replicas

	// Of a bucket: what we, and what all took out of it lately.
	own, all float64
}

// A View is what an Estimator needs to know of its window at some moment.
type View struct {
	kind.View
	Kind *kind.Estimator
	// Sent and Answered are how many requests were, and LastSent is when the last was sent.
	Sent, Answered int64
	LastSent       clock.Instant
}

// A Response says what is left of a window, received at Now.
type Response struct {
	*View
	Number    int64         // of the request
	Cost      int64         // its own
	Before    int64         // requests answered when it was sent
	At        clock.Instant // when it was sent
	Remaining int64
	Opened    bool  // the window may have opened since the last response
	Window    int64 // which of the windows of the server's clock has just begun, where they have no end
}

// fairMargin is the part of what we spend that we leave free, so that others who
// spend less, and leave the same part of that, may grow.
const fairMargin = 0.04

// drawLevel is the part of a bucket that, if it is left, lets one client take all
// that flows in.
const drawLevel = 10

// drawLeast is the part of all that flows in that a client takes however little is left.
const drawLeast = 8

// sharePrior is by how large a part of the limit the past counts against the present.
const sharePrior = 8

// Others reports whether other clients are believed to spend the quota.
func (s *Estimator) Others(now clock.Instant) bool { return now < s.until }

// Begin starts over with a new window of the given limit, which has this number of those of the
// server's clock.
func (s *Estimator) Begin(limit, number int64) {
	if s.begun {
		others := s.Others(s.heard)
		if s.turns.on {
			s.rivals.end(limit, s.turns.hurried, s.turns.yielded)
		}
		s.rivals.begin(number, others)
		s.past = s.turns.begin(s.reckon(limit), others && !s.rivals.now)
		s.turns.sure = s.rivals.vain >= vain(limit)-1
		s.rivals.early.begin()
	}
	s.begun = false
}

// Expect has the estimator believe at first that so many clients spend the quota in equal parts.
func (s *Estimator) Expect(clients uint8) { s.expect = clients }

// NewLimit forgets what another limit showed.
func (s *Estimator) NewLimit() { *s = Estimator{replicas: s.replicas, expect: s.expect} }

// Part returns which part of what is left is ours: that which we had of all that was spent, or
// half beside others who do not yield.
func (s *Estimator) Part(limit int64) float64 {
	if s.Competes(s.heard) {
		return max(s.reckon(limit), rivalsPart)
	}
	return s.reckon(limit)
}

// reckon returns which part of all that was spent is ours: over this window and, fading, those
// before. It is seldom asked for, so that it is reckoned only then, from what the newest
// response left behind.
func (s *Estimator) reckon(limit int64) float64 {
	if s.due {
		fall, own := s.from-s.left, s.newest-s.number
		prior := float64(limit) / sharePrior
		s.part = (float64(own) + prior*s.past) / (float64(max(fall, own)) + prior)
		s.due = false
	}
	return s.part
}

// Budget returns up to which number requests are our part.
func (s *Estimator) Budget(limit int64) int64 {
	part := s.Part(limit) * float64(s.left)
	if s.Competes(s.heard) {
		part = math.Ceil(part) // also of the last one
	}
	return s.newest + int64(part) + s.back
}

// Remaining returns what the newest response said remains of this window.
func (s *Estimator) Remaining() (n int64, known bool) { return s.left, s.begun }

// Delay returns how much later than it could a probe goes, so that clients that wait for the
// same reset do not all send then.
func (s *Estimator) Delay() clock.Instant { return s.delay }

// Cancel takes back n requests that were counted as sent but never were.
func (s *Estimator) Cancel(n int64) { s.back += n }

// Observe takes in what a response says. random spreads the probes of clients that share a
// quota.
func (s *Estimator) Observe(r *Response, random *rand.PCG) {
	if s.begun && r.Number < s.newest {
		return
	}
	if r.Kind.Emission() > 0 {
		s.turns.hurried = false // a burst emptied what seemed to be a window
		if s.begun {
			s.draw(r)
		}
	}
	if s.begun && s.replicas.opened(r, s.left) {
		s.Begin(r.Limit, r.Window)
	}
	if s.begun {
		s.replicas.observe(r, s.left, s.newest, r.Number-s.number+1)
	} else {
		s.replicas.begin(r)
	}
	s.newest, s.heard, s.left = r.Number, r.Now, r.Remaining
	if !s.begun {
		s.begin(r, random)
	}
	if fall := s.from - r.Remaining; fall > r.Sent-s.sure {
		s.until = r.Now + 2*max(r.Length, clock.Second)
	}
	s.due, s.back = true, 0
	s.observeTurns(r.View)
	switch {
	case r.Length == 0:
	case !r.Kind.Rolls():
		s.fill(r.View)
	default:
		if part := s.hold(r); r.Kind.Emission() == 0 {
			s.part, s.due = part, false
		}
	}
}

// begin takes in the first response of a window.
func (s *Estimator) begin(r *Response, random *rand.PCG) {
	s.begun, s.from, s.number, s.sure = true, r.Remaining, r.Number, r.Before+r.Cost
	if s.past == 0 {
		// A quarter more than equal parts, as what is believed to be too much shows sooner than too little.
		s.past = min(1.25/float64(max(s.expect, 1)), 1)
	}
	s.delay = 2 * r.RTT.Usual()
	if s.turns.on {
		s.delay = max(s.delay, r.Length/clock.Instant(r.Limit))
	}
	s.delay = clock.Jitter(random, s.delay)
}

// Stale reports whether what was heard last is too old to spend a part of it. Then one request
// at a time goes, until its response comes, or is too long in coming.
func (s *Estimator) Stale(v *View) bool {
	return v.Now > s.heard+clock.Second+4*v.RTT.Usual() && v.Sent > v.Answered
}

// Ready returns when our part of a window that rolls, or of a bucket, has room for n more. It
// reports false if the window is neither, as far as is known.
func (s *Estimator) Ready(v *View, n int64) (at clock.Instant, ok bool) {
	switch {
	case v.Kind.Emission() > 0:
		return s.drawReady(v, n), true
	case v.Kind.Rolls():
		return s.holdReady(v, n), true
	}
	return clock.Never, false
}

// draw follows what we and all took out of a bucket between two responses.
func (s *Estimator) draw(r *Response) {
	step := r.Kind.Emission()
	back := min(float64(r.Now-s.heard)/float64(step), float64(r.Limit-s.left))
	s.own += float64(r.Number - s.newest)
	s.all = max(s.all+float64(s.left-r.Remaining)+back, s.own)
	if s.all > float64(r.Limit) {
		s.own, s.all = s.own/2, s.all/2
	}
	if s.all > 1.05*s.own+float64(4+r.Sent-r.Answered) {
		s.until = r.Now + 2*clock.Times(step, r.Limit)
	}
	s.rivals.draw(r)
}

// drawReady returns when n may be taken out of a bucket that other clients use: at a rate in
// proportion to what is left. All clients that do so see the same, so that they send at the
// same rate, and what is left settles where together they take what flows in.
func (s *Estimator) drawReady(v *View, n int64) clock.Instant {
	full := max(v.Limit/drawLevel, 1)
	level := max(s.left-v.Reserve, full/drawLeast, 1)
	if s.Competes(v.Now) {
		level = 2 * full // as often as what flows in goes to others
	}
	return max(v.Now, v.LastSent+clock.Times(v.Kind.Emission(), n*full)/clock.Instant(level))
}

// Refused takes in that nothing was left for a request when other clients were there; again
// says that it is one of several refusals for the same reason.
func (s *Estimator) Refused(again bool) {
	if !again {
		s.holds -= max(1, s.holds/32)
	}
}
