package refusals

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
