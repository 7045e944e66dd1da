package sharing

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// An Untold finds out whether the limits that some routes tell in their responses count the
// requests of routes whose responses tell none. An API may limit one route and say so there, or
// limit all and say so here and there. Routes that tell nothing are taken to be apart until what
// the others say is left falls by them too. The zero value has seen nothing.
type Untold struct {
	tellers *tellers // nil while each route tells, or does not

	routes map[uint64]bool // whether they tell limits
	silent int             // routes that tell none
	told   bool            // a route tells a limit
	joined int             // more than 0: the limits that are told count all requests
	most   int64           // so many of others may be served without its being seen again
	since  int64           // requests of others had been served when that was seen last

	served, flying span // requests of routes that tell, and of others

	base  sighting // the response that later ones are compared with
	last  sighting // that told of the least since
	known bool
}

// A span is a number of requests of routes that tell a limit, and one of others.
type span struct{ tells, others int64 }

func (s span) plus(o span) span  { return span{s.tells + o.tells, s.others + o.others} }
func (s span) minus(o span) span { return span{s.tells - o.tells, s.others - o.others} }

// A sighting is what a response told, and how many requests the server had served by then: at the least those that
// were answered when its own was sent, and at the most those that had been sent when it arrived.
type sighting struct {
	left        int64
	until       time.Time // nothing comes back before
	least, most span
}

// An UntoldSent is what has to be known of a request later.
type UntoldSent struct {
	served span // when it was sent
	may    span // which it may be
	sent   bool
}

const (
	// untoldCounted is how many requests are not missing where they do not count.
	untoldCounted = 6
	// untoldJoined is how often they have to be seen not to count once they were seen to.
	untoldJoined = 3
	// untoldRare is how many times as many requests of others are served, at the most, where one that is
	// missing shows that they count.
	untoldRare = 3
	// untoldMost is how many requests of others may be served before that has to be seen again, at
	// first, and untoldAgain how many times as many after each time.
	untoldMost, untoldAgain = 300, 4
)

// LevelOf returns the level of the groups of a route of which some tell limits and the others do not; ByBucket is none.
// What is said here of routes holds for those then, each by its own number.
func (u *Untold) LevelOf(route uint64) Level { return u.tellers.of(route) }

// Varies reports whether a route tells limits now and then, so that responses are to be noted.
func (u *Untold) Varies() bool { return u.tellers != nil }

// Note takes in whether a response to a group tells a limit.
func (u *Untold) Note(g *Groups, r *header.Reading) {
	if !r.Stale && !r.Refused && g[ByRoute] != 0 {
		u.tellers.note(g, len(r.Windows) > 0)
	}
}

// Sent notes that a request of a route goes.
func (u *Untold) Sent(route uint64) UntoldSent {
	tells, known := u.routes[route]
	t := UntoldSent{served: u.served, may: span{1, 1}, sent: true}
	switch {
	case tells:
		t.may.others = 0
	case known:
		t.may.tells = 0
	}
	u.flying = u.flying.plus(t.may)
	return t
}

// Lost notes that nothing will be known of a request. It may have been served.
func (u *Untold) Lost(t *UntoldSent) {
	if t.sent {
		u.flying = u.flying.minus(t.may)
		u.known, t.sent = false, false
	}
}

// Answered takes in a response to a request of a route.
func (u *Untold) Answered(now time.Time, route uint64, t *UntoldSent, r *header.Reading) (joins bool) {
	was := u.joined
	if t.sent {
		u.flying = u.flying.minus(t.may)
	}
	if r.Stale || route == 0 {
		return false
	}
	switch tells, known := u.routes[route]; {
	case len(r.Windows) > 0:
		u.told = true
		u.note(route, true)
		u.tell(now, t, r)
	case !r.Refused && !tells:
		if !known {
			u.note(route, false)
		}
		u.served.others++
	case !r.Refused:
		u.known = false // now and then it tells nothing
		u.vary()
	}
	return was == 0 && u.joined > 0
}

// vary notes that a route tells limits now and then.
func (u *Untold) vary() {
	if u.tellers == nil {
		u.tellers = new(tellers)
	}
}

func (u *Untold) note(route uint64, tells bool) {
	was, known := u.routes[route]
	if known && was != tells {
		u.vary()
	}
	switch {
	case known && was == tells, !known && len(u.routes) >= maxRoutes:
		return
	case !tells:
		u.silent++
	case known:
		u.silent--
	}
	if u.routes == nil {
		u.routes = make(map[uint64]bool)
	}
	u.routes[route] = tells
}

// tell compares what a response says is left with what an earlier one said.
func (u *Untold) tell(now time.Time, t *UntoldSent, r *header.Reading) {
	s := sighting{least: t.served}
	if !r.Refused {
		u.served.tells++
		s.least.tells++
	}
	w := &r.Windows[0]
	if len(r.Windows) > 1 || !w.Remaining.Known() || !t.sent {
		return
	}
	s.left, s.until = int64(w.Remaining.Value), now.Add(resetIn(r, w))
	s.most = u.served.plus(u.flying)
	if !u.known || u.compare(now, &s) {
		u.base, u.last, u.known = s, s, !r.Refused
	} else if s.left <= u.last.left {
		u.last = s
	}
}

// resetIn returns how long a window surely lasts that a response tells of.
func resetIn(r *header.Reading, w *header.Window) time.Duration {
	in := w.Reset.In
	switch {
	case w.Reset.At.IsZero():
	case r.Date.IsZero():
		return 0
	default:
		in = w.Reset.At.Sub(r.Date) - time.Second
	}
	return in - w.Reset.Resolution
}

// compare reports whether what was told now shows something.
func (u *Untold) compare(now time.Time, s *sighting) bool {
	fall := u.base.left - s.left
	least, most := s.least.minus(u.base.most), s.most.minus(u.base.least)
	switch {
	case fall < 0, s.left > u.last.left && s.least.tells > u.last.most.tells: // it opened, or refills
	case most.others > 0 && fall > most.tells && fall <= most.tells+most.others:
		if u.joined == 0 && fall-most.tells < untoldCounted && u.served.others > untoldRare*u.served.tells {
			return false // where few requests tell, one that is missing may have been told of late
		}
		if u.joined == 0 {
			u.most = max(untoldAgain*u.most, untoldMost)
		}
		u.joined = untoldJoined
		u.since = u.served.others
	case now.Before(u.base.until) && least.others >= untoldCounted && fall < least.tells+least.others/2,
		u.joined > 0 && u.served.others > u.since+u.most:
		u.joined = max(u.joined-1, 0)
	default:
		return false
	}
	return true
}

// Apart reports whether requests of a route seem not to count in the limits that others tell. A
// route of which nothing is known is taken to be like most.
func (u *Untold) Apart(route uint64) bool {
	if !u.told || u.joined > 0 || u.silent == 0 {
		return false
	}
	tells, known := u.routes[route]
	return !tells && (known || 2*u.silent >= len(u.routes) && len(u.routes) < maxRoutes)
}
