package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A windowProof says whether a window is more than a guess. What one congestion looks like, an
// outage looks like too: the number of requests before it is then any number, and how long it
// took says nothing. A limit refuses again after the same number. So a window that one
// congestion taught holds no request back until another came at its limit. Where the server
// said when to come back, that is taken for a proof.
type windowProof struct {
	given  bool
	agreed int  // congestions that it explains
	tested bool // requests are sent beyond the limit, few at a time
	passed bool // the server served all of such a test, though fewer were sent by its end
}

const (
	// A refusal proves a limit that comes no more than so many requests, or such a part of
	// the limit, before it is reached.
	proofNear = 16
	proofPart = 16
	// So many congestions that the log explains prove a limit that was not reached since
	// the window opened: it rolls.
	proofAgreed = 2
)

// confirm takes in a congestion that the window explains.
func (p *windowProof) confirm(e *congestion) {
	p.agreed++
	p.given = p.given || e.told || e.repeats || p.agreed >= proofAgreed
}

// counted returns how many requests of the inferred window were sent since it was learned.
func (l *limits) counted(now clock.Instant) int64 {
	return l.log.Between(max(now-l.span.length, l.empty)-1, now)
}

// repeats reports whether a refusal of t comes after about as many requests as the one that
// taught the window.
func (l *limits) repeats(t *Request) bool {
	s := &l.span
	return s.limit > few && l.counted(t.At) >= s.limit-max(min(proofNear, s.limit/4), s.limit/proofPart)
}

// testProof sends few requests at a time, where the limit of a window without a proof is
// reached.
func (l *limits) testProof(now clock.Instant, mark int64) {
	if p := &l.span.proof; !p.given && !p.tested && l.counted(now) >= l.span.limit {
		p.tested = true
		l.beCareful(mark)
	}
}

// refutes reports whether the server served so many requests beyond the limit of a window
// without a proof that there is no such limit.
func (l *limits) refutes(now clock.Instant) bool {
	p := &l.span.proof
	if p.given || !p.tested || l.careful {
		return false
	}
	again := p.passed
	p.tested, p.passed = false, true
	return again || l.counted(now) >= l.span.limit
}
