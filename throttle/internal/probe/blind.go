package probe

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A Blind paces the probes of a window that is used up, and of which the server tells no
// reset. It looks for the shortest wait after which they are served: at first each wait is half
// as long as the last, and once one was too short, tests go half way between that and the
// shortest that was long enough, the more rarely the more of them were refused.
type Blind struct {
	wait    clock.Instant // that is long enough, as far as is known; 0 is blindFirst
	short   clock.Instant // that was too short; 0 is none
	served  int           // probes since one of these changed
	pause   int           // so many before the next test
	refused int           // probes in a row
	gap     clock.Instant // how long after the last request the last probe went
}

const (
	blindFirst  = clock.Second
	blindLeast  = 10 * clock.Millisecond
	blindMost   = 64 * clock.Second
	blindPause  = 2
	blindPauses = 64
	// What is known to this part of the wait is tested more rarely, with a wait that is shorter by an eighth.
	blindSure = 16
	blindRare = 4
)

// Next returns how long after the last request a probe goes.
func (b *Blind) Next() clock.Instant {
	if b.served < b.due() {
		return b.long()
	}
	return b.test()
}

// Between is Next for a window that opens so long after the last request at the soonest, and at the latest.
func (b *Blind) Between(soonest, latest clock.Instant) clock.Instant {
	if b.wait == 0 {
		b.short, b.wait = max(soonest, 0), max(latest, blindLeast)
	}
	return b.Next()
}

// Bounded reports whether the shortest wait lies between two that are known: one was too short, and longer ones
// are not refused in a row. Where they are, the time since the last request does not say when the window opens.
func (b *Blind) Bounded() bool { return b.short > 0 && b.refused <= 1 }

// Send notes that a probe goes so long after the last request.
func (b *Blind) Send(gap clock.Instant) { b.gap = gap }

func (b *Blind) long() clock.Instant {
	if b.wait == 0 {
		return blindFirst
	}
	return b.wait
}

// sure reports whether there is little left to find out.
func (b *Blind) sure() bool { return b.short > 0 && b.long()-b.short <= b.long()/blindSure }

// due returns after how many probes the next test goes.
func (b *Blind) due() int {
	if b.sure() {
		return max(blindRare*b.pause, blindPauses)
	}
	return b.pause
}

// test returns the wait that is tested next.
func (b *Blind) test() clock.Instant {
	if b.sure() {
		return max(b.long()*7/8, blindLeast)
	}
	return max((b.short+b.long())/2, blindLeast)
}

// Observe takes in what a response says remains, and whether it is that to a probe.
func (b *Blind) Observe(remaining int64, probe, refused bool) {
	switch {
	case remaining > 0 && b.long() > blindFirst:
		*b = Blind{} // it has opened
	case !probe:
	case refused:
		b.refuse()
	default:
		b.serve()
	}
}

func (b *Blind) serve() {
	went := b.Next()
	again := b.refused > 0 // what was refused may have come long before
	switch b.refused = 0; {
	case again || b.gap > went+went/4: // that shows nothing of a shorter wait
	case b.served < b.due():
		b.served++
	default:
		if b.sure() {
			b.short, b.pause = 0, 0 // it is filled faster than it was
		}
		b.wait, b.served = went, 0
	}
}

func (b *Blind) refuse() {
	b.refused++
	switch {
	case b.gap < b.long() && b.refused == 1:
		b.short = max(b.short, b.gap)
	default:
		b.short = max(b.long(), min(b.gap, blindMost))
		b.wait = min(b.short*9/8, blindMost)
		if b.refused > 1 {
			b.wait = min(b.short*7/4, blindMost) // together they less than double, so that one meets each window
		}
	}
	b.served, b.pause = 0, min(max(2*b.pause, blindPause), blindPauses)
}
