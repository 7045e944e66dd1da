package sharing

import "time"

// Places finds out whether the things of a route, or the owners that its requests name, have a limit each of which only refusals
// tell. After a refusal a second request of the same group goes at once, and then one of another. If the first is refused
// and the other served, again and again, they are counted apart; a server that refuses both, or serves whatever comes first,
// counts them together. The zero value has seen nothing.
type Places struct {
	routes map[uint64]*place // that were refused
}

// A place is what is known of the groups of a route.
type place struct {
	differs Levels           // at which requests differed
	recent  [placeRecent]use // of the route, the last at sent-1
	sent    int
	since   time.Time     // of the first that was noted
	longest time.Duration // wait

	level           Level // that is examined; ByBucket is none
	apart           bool  // its groups have a limit each
	won, lost, vain int   // pairs
	rest            int   // refusals until the next pair
	pair            pair
	beyond          beyond
}

// A use is that a request was sent.
type use struct {
	groups  Groups
	at      time.Time
	refused bool
}

const (
	placeRecent  = 64
	placeRepeats = 3 // of these are of the group that was refused
	// placeWon is how many pairs show that groups are counted apart, and so many times as many as show the contrary.
	placeWon = 3
	// placeVain is how many pairs that show nothing lead to the next finer level.
	placeVain = 4
	// placeLost is how many requests are refused while another group is, and placeServed are as much evidence as one that is
	// served, until groups are taken to share a limit after all.
	placeLost, placeServed = 24, 3
	placeRest              = 10 // doublings of the refusals between pairs
	// placeStep is the mean time between requests, at the least, where pairs tell something.
	placeStep = 4 * pairStep
)

// Watches reports whether it matters which groups of a route are asked for.
func (p *Places) Watches(route uint64) bool { return p.routes[route] != nil }

// Sent takes in that a request of a route goes.
func (p *Places) Sent(now time.Time, route uint64, g *Groups) {
	if of := p.routes[route]; of != nil && !of.apart {
		of.note(now, g)
	}
}

func (p *place) note(now time.Time, g *Groups) {
	for l := ByThing; l < levels && p.sent > 0; l++ {
		if last := &p.recent[(p.sent-1)%placeRecent]; g[l] != last.groups[l] {
			p.differs |= 1 << l
		}
	}
	p.recent[p.sent%placeRecent] = use{groups: *g, at: now}
	p.sent++
}

// Answered takes in what became of a request of a route that was sent at sent. It reports whether its groups are no longer
// taken to have a limit each: what is sent while another group is refused is refused as well.
func (p *Places) Answered(sent time.Time, route uint64, g *Groups, refused bool) (joined bool) {
	of := p.routes[route]
	switch {
	case of == nil:
	case of.apart:
		return of.witness(sent, g, refused)
	case refused:
		of.refused(sent, g)
	}
	return false
}

// refused notes that the request of a use was refused.
func (p *place) refused(sent time.Time, g *Groups) {
	for i := range p.recent {
		if u := &p.recent[i]; u.at.Equal(sent) && u.groups == *g {
			u.refused = true
		}
	}
}

func (p *place) witness(sent time.Time, g *Groups, refused bool) (joined bool) {
	if x := &p.pair; g[p.level] == x.group || !sent.After(x.began) || !sent.Before(x.until) {
		return false
	}
	if !refused {
		p.lost = max(p.lost-placeServed, 0)
		return false
	}
	if p.lost++; p.lost < placeLost {
		return false
	}
	p.apart, p.won, p.lost, p.rest = false, 0, 0, 1<<placeRest
	return true
}

// uses returns how many of the last requests that were sent after a time are of a group, and may have been served.
func (p *place) uses(group uint64, since time.Time) (n int) {
	for i := range p.recent {
		if u := &p.recent[i]; u.groups[p.level] == group && u.at.After(since) && !u.refused {
			n++
		}
	}
	return n
}

// repeats reports whether requests of a group come again and again, beside others.
func (p *place) repeats(group uint64) bool {
	n, all := 0, min(p.sent, placeRecent)
	for i := range all {
		if p.recent[i].groups[p.level] == group {
			n++
		}
	}
	return n >= placeRepeats && n < all
}

// fast reports whether requests follow each other so closely that a limit which refills may serve the second of a pair for
// having come later.
func (p *place) fast(now time.Time) bool {
	return p.sent >= placeRecent && now.Sub(p.recent[p.sent%placeRecent].at) < placeRecent*placeStep
}

// Refuse takes in that a request of a route was refused until the given time, which the server named or not, and no limit was.
func (p *Places) Refuse(now time.Time, route uint64, g *Groups, until time.Time, named bool) {
	of := p.routes[route]
	if of == nil {
		if len(p.routes) >= maxRoutes {
			return
		}
		if p.routes == nil {
			p.routes = make(map[uint64]*place)
		}
		of = &place{since: now}
		of.note(now, g)
		p.routes[route] = of
	}
	of.refuse(now, g, until, named)
}

func (p *place) refuse(now time.Time, g *Groups, until time.Time, named bool) {
	wait := until.Sub(now)
	if !named {
		wait *= 2 // the limit may be of twice that time
	}
	p.longest = max(p.longest, wait)
	switch {
	case now.Before(p.pair.until) || until.Sub(now) < pairLeast:
		return
	case p.apart:
		p.pair = pair{group: g[p.level], began: now, until: until}
		return
	}
	if p.pair = (pair{}); p.level == ByBucket && !p.examineFiner() {
		return
	}
	if p.rest > 0 {
		p.rest--
		return
	}
	if p.repeats(g[p.level]) && !p.fast(now) {
		p.pair = pair{group: g[p.level], began: now, until: until}
	}
}

// examineFiner turns to the next finer level at which requests differ.
func (p *place) examineFiner() bool {
	for p.level = max(p.level, ByRoute) + 1; p.level < levels; p.level++ {
		if p.differs.has(p.level) {
			return true
		}
	}
	p.level = ByBucket
	return false
}

// Closed returns the group of a route that was refused last, and until when.
func (p *Places) Closed(route uint64) (group uint64, until time.Time) {
	x := &p.routes[route].pair
	return x.group, x.until
}

// LevelOf returns the level at which the groups of a route have a limit each that is not told; ByBucket if they do not, as far as
// is known.
func (p *Places) LevelOf(route uint64) Level {
	if of := p.routes[route]; of != nil && of.apart {
		return of.level
	}
	return ByBucket
}

// Examined returns the level of the groups of a route of which one must not wait behind another: LevelOf, or that which is
// being examined.
func (p *Places) Examined(route uint64) Level {
	if of := p.routes[route]; of != nil && (of.apart || of.rest == 0 && of.pair.group != 0) {
		return of.level
	}
	return ByBucket
}
