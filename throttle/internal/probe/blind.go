package probe

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A Blind paces the probes of a window that is used up, and of which the server tells no
// reset. Each that is refused comes after a longer wait than the last. Each that is served
// shows that the wait was long enough: later ones become shorter, at first quickly, and after refusals the more slowly the more there were.
type Blind struct {
	wait    clock.Instant // before the next probe; 0 is blindFirst
	refused int           // probes in a row
	wrong   int           // waits that were too short
	served  int           // probes since the wait changed
}

const (
	blindFirst  = clock.Second
	blindLeast  = 10 * clock.Millisecond
	blindMost   = 64 * clock.Second
	blindServed = 16 // that many probes at most before a shorter wait is tried
)

// Next returns how long after the last request a probe goes.
func (b *Blind) Next() clock.Instant {
	if b.wait == 0 {
		return blindFirst
	}
	return b.wait
}

// Observe takes in what a response says remains, and whether it is that to a probe.
func (b *Blind) Observe(remaining int64, probe, refused bool) {
	switch {
	case remaining > 0 && b.wait > blindFirst:
		*b = Blind{} // it has opened
	case !probe:
	case refused:
		b.refuse()
	default:
		b.serve()
	}
}

func (b *Blind) serve() {
	b.refused = 0
	b.served++
	switch {
	case b.wrong == 0:
		b.wait = max(b.Next()/2, blindLeast)
	case b.served >= min(1<<b.wrong, blindServed):
		b.wait, b.served = max(b.Next()*7/8, blindLeast), 0
	}
}

func (b *Blind) refuse() {
	b.served = 0
	b.wrong = min(b.wrong+1, 16)
	b.refused++
	b.wait = min(b.Next()*5/4, blindMost)
	if b.refused > 1 {
		b.wait = min(2*b.wait, blindMost)
	}
}
