package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A rarity tells whether so few requests are refused that a pace would cost more than the refusals
// do. A limit on a rate refuses all that is sent beyond it: where that is next to nothing, the
// program sends hardly more than it may, and where it is by chance, no pace ends it.
type rarity struct {
	answers, refusals float32 // of late
}

const (
	rarityShare  = 0.03 // of the requests, below which refusals are rare
	rarityPrior  = 80   // requests served count before the first
	rarityMemory = 400  // requests count
)

// observe takes in whether a request was refused.
func (r *rarity) observe(refused bool) {
	if r.answers++; r.answers > rarityMemory {
		r.answers, r.refusals = r.answers/2, r.refusals/2
	}
	if refused {
		r.refusals++
	}
}

// rare reports whether few requests are refused.
func (r *rarity) rare() bool { return r.refusals < rarityShare*(r.answers+rarityPrior) }

// spare takes in the refusal of t, which named such a wait. It reports whether it is the first in a row, and
// refusals are rare: then only t waits. If the next request is refused too, all wait.
func (l *limits) spare(t *Request, wait clock.Instant) bool {
	if l.known() || l.event.under || l.spared > 0 || wait > passWait || l.few.answers-l.few.refusals < enough || !l.few.rare() {
		return false
	}
	l.log.Remove(t.At, t.Cost)
	l.few.observe(true)
	l.spared = t.At
	return true
}
