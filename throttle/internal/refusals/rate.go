package refusals

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// An inferredRate is a rate that a server was found to admit, and goes up from there until
// it is refused again: slowly while it is near what was refused, faster the longer
// nothing happens.
type inferredRate struct {
	rate   float64       // a second, at the last refusal; 0 is not known
	proven int64         // requests that went at this pace since
	period float64       // how many of them raise it by the first part
	next   clock.Instant // when the next may go
	idle   clock.Instant // since the server opened, when nothing waited for the pace
	unused int64         // requests that could have gone at this pace and did not, lately
	floor  float64       // what was served lately, no rate falls far below
	soon   int           // refusals in turn that came soon after the one before
	steep  float64       // the first part by which it rises, where few requests tell of it
	sure   bool          // it was refused again near what it was
	small  bool          // few were admitted at once when it was measured first
	count  int64         // so many were admitted in the window of a usual length that it was guessed from; 0 is none
	guess  bool          // no refusal near it has confirmed that
	even   bool          // none is made up for: one that was came too soon
}

const (
	paceRise   = 0.02             // the first part by which a pace rises
	paceSteep  = 0.25             // the same where few requests tell of it, the first time
	paceBack   = 0.98             // what is left of a pace after a refusal
	paceBelow  = 0.995            // how much of a measured rate is believed
	paceNear   = 5                // a pace refused within so many periods is about right
	paceSure   = 20               // requests that make a measurement
	paceFar    = 0.9              // the same after one that came soon,
	paceSoon   = 2 * clock.Second // so long after the opening; then the pace is far too high
	paceDoubt  = 5                // refusals that came soon until nothing known is believed
	paceStart  = 4                // seconds of the first period, where much was counted
	paceFirst  = 16               // requests of the first period, at most
	paceGuess  = 2                // the same where it is guessed,
	paceVague  = 1.5              // or where the time that was measured may be so many times as long
	paceTried  = 4                // the same of a rate that was tried, and may be far too low
	paceFloor  = 0.9              // of what was served lately
	paceLatest = 200              // and of the last, at least
)

// now returns the rate a second that is tried now.
func (p *inferredRate) now() float64 { return p.at(float64(p.proven)) }

// at returns the rate that was, or will be, tried when so many were proven.
func (p *inferredRate) at(proven float64) float64 {
	rise := math.Exp2(min(proven/p.period, 40)) - 1
	return p.rate * (1 + max(p.steep, paceRise)*rise)
}

// risen returns the rate to which it rose, unrefused, if the request that was sent last is refused: between those of the
// two requests before it.
func (p *inferredRate) risen() float64 {
	if p.unused > 0 || float64(p.proven) < p.period+2.5 {
		return 0
	}
	return p.at(float64(p.proven) - 2.5 - p.period)
}

// step returns the time between two requests.
func (p *inferredRate) step() clock.Instant {
	if p.rate <= 0 {
		return 0
	}
	return clock.Instant(min(float64(clock.Second)/p.now(), float64(60*60*clock.Second)))
}

// send counts n more as sent at now.
func (p *inferredRate) send(now clock.Instant, n int64) {
	if p.rate <= 0 {
		return
	}
	step := p.step()
	switch late := now - p.next; {
	case late > step/4:
		// No request came in time to go as fast, so that as many prove nothing.
		p.unused = min(p.unused+int64(late/max(step, 1)), int64(p.period))
	case p.unused > 0:
		p.unused = max(0, p.unused-n)
	default:
		p.proven += n // it goes at this pace because it must
	}
	// One that comes late may be made up for, until that turns out to be too soon.
	earliest := now - step
	if p.even {
		earliest = now
	}
	p.idle += max(0, earliest-p.next)
	p.next = min(max(p.next, earliest)+clock.Times(step, n), now+clock.Longest)
}

// A measurement is of so many requests that were admitted between two openings, or before the first one, which
// took a time between the least and the most.
type measurement struct {
	admitted          int64
	open, least, most clock.Instant // open is without the time for which the server was closed
	dense             bool          // several refusals were passed over just before
}

// over returns the rate a second if it took so long.
func (m *measurement) over(took clock.Instant) float64 {
	return float64(m.admitted) / (float64(max(took, clock.Millisecond)) / float64(clock.Second))
}

// brief reports whether the server was closed for no longer than one that limits a rate.
func (m *measurement) brief() bool { return m.least-m.open <= briefly }

// soon reports whether the refusal came soon after the opening.
func (m *measurement) soon() bool { return m.open < paceSoon }

// guessed returns the rate of a server whose window is of the short usual length that lies between the least and the most, or
// 0 where there is none. At a rate of one request in a window, each that is early is refused.
func (m *measurement) guessed() float64 {
	if length := clock.UsualLength(m.least); m.admitted > 1 && length <= min(m.most, 2*briefly) {
		return m.over(length)
	}
	return 0
}

// learn takes in a measurement, and the rate to which it had risen unrefused before, 0 if it had not. It reports
// whether the rate follows from this measurement alone.
func (p *inferredRate) learn(m measurement, risen float64) (anew bool) {
	defer func() { p.rate = max(p.rate, paceFloor*p.floor) }()
	if p.rate <= 0 || p.period < paceFirst || m.soon() && p.soon >= paceDoubt || p.refuted(&m) {
		p.begin(&m, risen)
		return true
	}
	p.adjust(&m)
	return false
}

// refuted reports whether the measurement shows a guess to be wrong: the server was open for no longer than it takes to send
// as many again, or it refused many together.
func (p *inferredRate) refuted(m *measurement) bool {
	return p.guess && m.brief() && (m.dense || m.soon() && m.admitted <= p.count)
}

// begin takes in a measurement from which the rate follows.
func (p *inferredRate) begin(m *measurement, risen float64) {
	measured, wrong := m.over(m.most), p.guess && m.brief()
	switch {
	case p.rate <= 0:
		p.small = float64(m.admitted) <= few*max(1, float64(m.open)/float64(clock.Second))
	case p.small && !m.soon():
		measured = max(measured, risen) // nothing was saved up on the way
	}
	if !wrong {
		measured = max(measured, p.rate/8)
	}
	guessed := m.guessed()
	if wrong && 2*m.admitted < p.count {
		guessed = 0 // it was no window but a bucket that was full
	}
	p.start(max(measured, guessed), m.admitted)
	switch {
	case guessed > 0:
		p.count, p.guess, p.sure, p.soon, p.steep = m.admitted, true, true, 0, 0
		p.period = max(float64(min(m.admitted, paceFirst)), paceGuess*guessed)
	case m.admitted > paceFirst && float64(m.most) > paceVague*float64(m.least):
		p.period, p.steep = max(paceFirst, paceGuess*p.rate), paceSteep
	}
}

// adjust takes in a measurement of a rate that is known.
func (p *inferredRate) adjust(m *measurement) {
	measured := m.over(m.most)
	if m.admitted >= paceSure {
		measured *= paceBelow
	}
	current, before := p.now(), p.at(float64(p.proven)-p.period)
	if float64(p.proven) < paceNear*p.period {
		p.period = min(2*p.period, max(paceLatest, 60*measured))
		p.sure, p.steep = !m.soon(), 0
	}
	p.proven = 0
	if m.soon() {
		// A measurement of so short a time says more of how long we stayed away.
		p.rate = current * paceFar
		p.soon++
		return
	}
	p.rate = max(min(current*paceBack, max(measured, before)), current/8)
	p.soon, p.guess = 0, false
}

// believe begins with a rate that was tried, and at which nothing was refused.
func (p *inferredRate) believe(rate float64, now clock.Instant) {
	*p = inferredRate{rate: rate, period: max(paceTried, paceStart*rate), next: now}
}

// start begins with a rate that nothing but this measurement tells of. The fewer were
// counted, the less it means, and the sooner more is tried.
func (p *inferredRate) start(measured float64, admitted int64) {
	steep := paceSteep
	if p.rate > 0 {
		steep = p.steep / 2 // it was too high before
	}
	*p = inferredRate{floor: p.floor, small: p.small, even: p.even, rate: measured, period: float64(max(admitted, 1)), next: p.next, soon: paceDoubt, steep: steep}
	if admitted > paceFirst {
		p.period, p.steep = max(paceFirst, paceStart*measured), 0
	}
}

// hastened reports whether the refusal of t shows that it came too soon after the request before it, because requests
// did not go at the pace before. From then on none is made up for.
func (l *limits) hastened(t *Request) bool {
	p := &l.pace
	if p.rate <= 0 || p.even || !p.small || l.log.Between(t.At-p.step()/4*3, t.At) == 0 {
		return false
	}
	p.even = true
	return true
}
