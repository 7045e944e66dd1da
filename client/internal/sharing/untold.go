package sharing

import "github.com/forbear-go/forbear/throttle/header"

// An Untold finds out whether the limits that some routes tell in their responses count the
// requests of routes whose responses tell none. An API may limit one route and say so there, or
// limit all and say so here and there. Routes that tell nothing are taken to be apart until what
// the others say is left falls by them too. The zero value has seen nothing.
type Untold struct {
	routes map[uint64]bool // whether they tell limits
	silent int             // routes that tell none
	told   bool            // a route tells a limit
	joined int             // more than 0: the limits that are told count all requests

	// What a response said was left, and how many of either kind were answered since.
	left          int64
	known         bool
	tells, others int64
}

const (
	// So many requests show whether they count: if they do, as many are missing.
	untoldCounted = 6
	// untoldJoined is how often they have to be seen not to count once they were seen to.
	untoldJoined = 3
)

// Answered takes in a response to a request of a route.
func (u *Untold) Answered(route uint64, r *header.Reading) {
	if r.Stale || route == 0 {
		return
	}
	switch tells, known := u.routes[route]; {
	case len(r.Windows) > 0:
		u.told = true
		u.note(route, true)
		if !r.Refused {
			u.count(r)
		}
	case !r.Refused && !tells:
		if !known {
			u.note(route, false)
		}
		u.others++
	}
}

func (u *Untold) note(route uint64, tells bool) {
	was, known := u.routes[route]
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

// count compares by how much what is left fell with how many requests were answered.
func (u *Untold) count(r *header.Reading) {
	w := &r.Windows[0]
	if len(r.Windows) > 1 || !w.Remaining.Known() {
		return
	}
	left := int64(w.Remaining.Value)
	u.tells++
	switch fall := u.left - left; {
	case !u.known || fall < 1: // the first, or one that refills
	case u.others < untoldCounted:
		return
	case fall > u.tells+u.others/2:
		u.joined = untoldJoined
	case fall <= u.tells+u.others/4:
		u.joined = max(u.joined-1, 0)
	}
	u.known, u.left, u.tells, u.others = true, left, 0, 0
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
