package sharing

import "time"

// A pair is two requests that go although a refusal holds them back.
type pair struct {
	group        uint64    // that was refused; 0 is none
	began, until time.Time // of its wait
	waits        bool      // one of another group waits
	first        time.Time // when that of the same group went
	sent         [Beyond]bool
	refused      [Beyond]bool
	answered     int
}

const (
	// pairStep is after what time the first half goes, and after as much again the other.
	pairStep = 10 * time.Millisecond
	// pairPart is the part of the wait in which the other half goes after the first.
	pairPart = 10
	// pairLeast is the shortest wait in which a pair goes. In one of pairLong further ones follow, and each counts twice:
	// nothing comes back so soon.
	pairLeast, pairLong = 200 * time.Millisecond, 10 * time.Second
	// beyondServed is how many tests within one wait show that groups are apart, or such a part of the requests of the time before.
	beyondServed, beyondPart = 3, 8
	// beyondPatience is how long the response to one is waited for.
	beyondPatience = 5 * time.Second
)

// A Half says which of the two requests of a pair one is, or that it is a test of another kind.
type Half uint8

// The halves.
const (
	Neither Half = iota
	Same         // is of the group that was refused
	Other
	Beyond // is no half, but a test of what was learned
)

// A beyond is a series of tests of a limit that was learned for all groups, while it keeps requests waiting for long: those of
// groups that were asked for less go nevertheless, one at a time.
type beyond struct {
	until  time.Time // that the limit holds back others
	served int       // of the tests within that time
	need   int       // that show that groups are apart: more than an error of what was learned
	next   time.Time // when the next may go
	from   int       // requests sent when it began
}

// Due returns when a request that is held back by a refusal may go as one half of a pair, or the next question about it makes
// sense; never if it may not.
func (p *Places) Due(now time.Time, route uint64, g *Groups) (at time.Time, due bool) {
	of := p.routes[route]
	if of == nil || of.apart || !now.Before(of.pair.until) {
		return time.Time{}, false
	}
	x := &of.pair
	half := of.half(now, g)
	x.waits = x.waits || half == Other
	at = x.began.Add(time.Duration(half) * pairStep)
	switch {
	case half == Neither, x.sent[half], now.After(x.late(half)):
		return time.Time{}, false
	case now.Before(at):
		return at, true
	case half == Same && !x.waits:
		return now.Add(x.until.Sub(x.began) / (4 * pairPart)), true
	case half == Same:
		return now, true
	}
	return now, x.sent[Same]
}

// DueBeyond returns when a request that a learned limit holds back until the given time may go as a test of it.
func (p *Places) DueBeyond(now time.Time, route uint64, g *Groups, until time.Time) (at time.Time, due bool) {
	of := p.routes[route]
	if of == nil || of.apart || of.rest > 0 || of.pair.group == 0 || until.Sub(now) < pairLong || of.half(now, g) != Other {
		return time.Time{}, false
	}
	if b := &of.beyond; !now.Before(b.until) {
		*b = beyond{until: until, need: max(beyondServed, (of.sent-b.from)/beyondPart), from: of.sent, next: b.next}
	}
	return latest(now, of.beyond.next), true
}

// TakeBeyond takes in that a request goes as such a test.
func (p *Places) TakeBeyond(now time.Time, route uint64) {
	p.routes[route].beyond.next = now.Add(beyondPatience)
}

// concludeBeyond takes in what became of such a test.
func (p *place) concludeBeyond(now time.Time, refused bool) {
	b := &p.beyond
	b.next = now
	if refused {
		b.served = 0
		p.lose()
		return
	}
	if b.served++; b.served >= b.need {
		p.apart, p.lost = true, 0
	}
}

// lose notes that a test speaks for one limit of all groups.
func (p *place) lose() {
	p.lost++
	p.rest = 1 << min(2*p.lost, placeRest)
}

// half returns which half of the pair a request may be. A group that may have used up a limit of its own says nothing.
func (p *place) half(now time.Time, g *Groups) Half {
	since := now.Add(-p.longest)
	switch group := g[p.level]; {
	case group == p.pair.group:
		return Same
	case since.Before(p.since), 2*p.uses(group, since) >= p.uses(p.pair.group, since):
		return Neither
	}
	return Other
}

// late returns until when half of the pair may go: whatever was refused may be served towards the end of the wait.
func (x *pair) late(half Half) time.Time {
	from := x.began
	if half == Other && x.sent[Same] {
		from = x.first
	}
	return from.Add(max(x.until.Sub(x.began)/pairPart, 2*pairStep))
}

// Take takes in that a request goes that is held back, and says which half of a pair it is.
func (p *Places) Take(now time.Time, route uint64, g *Groups) Half {
	at, due := p.Due(now, route, g)
	if !due || at.After(now) {
		return Neither
	}
	of := p.routes[route]
	half := of.half(now, g)
	if of.pair.sent[half] = true; half == Same {
		of.pair.first = now
	}
	return half
}

// Conclude takes in what became of half a pair. It reports whether the groups of the route turn out to have a limit each.
func (p *Places) Conclude(now time.Time, route uint64, half Half, refused bool) bool {
	of := p.routes[route]
	switch {
	case of == nil || of.apart:
		return false
	case half == Beyond:
		of.concludeBeyond(now, refused)
		return of.apart
	case !of.pair.sent[half]:
		return false
	}
	of.pair.refused[half] = refused
	if of.pair.answered++; of.pair.answered == 2 {
		of.judge(now)
	}
	return of.apart
}

func (p *place) judge(now time.Time) {
	x := &p.pair
	switch {
	case x.refused[Same] && !x.refused[Other]:
		p.won++
		if left := x.until.Sub(now); left >= pairLong {
			p.won++
			p.pair = pair{group: x.group, began: now, until: x.until}
		}
	case x.refused[Other]:
		p.lose()
	default:
		if p.vain++; p.won+p.lost == 0 && p.vain >= placeVain {
			p.vain = 0
			p.examineFiner()
		}
	}
	if p.apart = p.won >= placeWon && p.won >= placeWon*p.lost; p.apart {
		p.lost = 0
	}
}
