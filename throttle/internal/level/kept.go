package level

import "math"

// Kept finds out whether a server keeps what requests ask for. A word may count more requests than those that it
// surely does, so that single falls tell little; but what it counts too soon is missing from a later fall.
type kept struct {
	kept, given fit
	n           int
}

// A fit tells how well a way to charge explains what remains.
type fit struct {
	least, most float64 // the newest word counts so much beside what it surely does
	started     bool
	off         float64 // by how many requests it fell otherwise than it can have, squared
}

// observe takes in a fall, what it would be if words counted what they surely do, and how much more the newest one
// may count, at least and at most. One is what a request asks for.
func (f *fit) observe(fall, sure, least, most, one float64) {
	const fade = 0.97
	f.off *= fade
	if f.started {
		a, b := f.least+fall-sure, f.most+fall-sure
		x := max(0, a-most, least-b) / one
		f.off += x * x
		least, most = min(max(a, least), most), max(min(b, most), least)
	}
	f.least, f.most, f.started = least, most, true
}

// observe takes in a fall of a bucket, and what the word after it counts, surely and besides.
func (k *kept) observe(fall float64, c, may counts, one float64) {
	k.kept.observe(fall, c.admitted, 0, may.admitted, one)
	k.given.observe(fall, c.admitted-c.back+c.ended, min(0, may.ended-may.back), may.admitted, one)
	if c.requests > 0 {
		k.n++
	}
}

// sure reports whether the server clearly keeps it: that explains what remains, and much better than that it gives
// back. Where it charges at the end, neither does.
func (k *kept) sure() bool { return k.n >= 8 && k.kept.off < 8 && 1+2*k.kept.off < k.given.off }

// mayCount returns what the newest word may count beside what it surely does.
func (l *Limiter) mayCount() (c counts) {
	mean, _ := l.perRequest()
	n := min(math.Ceil(l.endSoon())+1, float64(l.estimated)) // that are over, but their last bytes are under way
	c.ended, c.back = n*mean, n*l.flown
	for _, h := range l.holds {
		switch {
		case h.end > 0:
			c.ended += h.cost
			c.back += h.admitted
		case h.arriving:
			c.admitted += h.admitted
		}
	}
	return c
}
