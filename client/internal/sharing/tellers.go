package sharing

// A tellers finds out whether the responses to some requests of a route tell limits, and those to others do not, by what
// the requests ask for: an account without a limit, beside others that have one. What tells now and then, such as
// responses that may come from a cache, is not divided so. The zero value has seen nothing.
type tellers struct {
	groups [levels]map[uint64]tally
	kinds  [levels][tellerKinds]int // how many groups are of each kind
	level  Level                    // the coarsest at which each group tells, or never does; ByBucket is none
}

// A tally counts responses of a group, up to tellerMost.
type tally struct{ told, silent uint8 }

// The kinds of groups.
const (
	tellerUnknown = iota
	tellerAlways
	tellerNever
	tellerVaries
	tellerKinds
)

const (
	tellerEnough = 3 // responses show whether a group tells
	tellerPart   = 4 // of a group that tells, fewer than one in so many do not, as errors of a proxy
	tellerMost   = 64
)

func (t tally) kind() int {
	switch {
	case t.told > 0 && t.silent >= tellerEnough && int(t.silent)*tellerPart > int(t.told):
		return tellerVaries
	case t.told >= tellerEnough:
		return tellerAlways
	case t.told == 0 && t.silent >= tellerEnough:
		return tellerNever
	}
	return tellerUnknown
}

func (t *tally) add(told bool) {
	if told {
		t.told++
	} else {
		t.silent++
	}
	if max(t.told, t.silent) > tellerMost {
		t.told, t.silent = (t.told+1)/2, t.silent/2
	}
}

// note takes in whether a response tells a limit.
func (u *tellers) note(g *Groups, told bool) {
	for l := ByRoute; l < levels; l++ {
		was, known := u.groups[l][g[l]]
		switch {
		case !known && len(u.groups[l]) >= maxRoutes:
			continue
		case u.groups[l] == nil:
			u.groups[l] = make(map[uint64]tally)
		}
		is := was
		is.add(told)
		u.groups[l][g[l]] = is
		u.kinds[l][was.kind()]--
		u.kinds[l][is.kind()]++
	}
	u.level = ByBucket
	for l := levels - 1; l > ByRoute; l-- {
		if k := &u.kinds[l]; k[tellerAlways] > 0 && k[tellerNever] > 0 && k[tellerVaries] == 0 {
			u.level = l
		}
	}
}

// of returns the level at which groups of a route tell, or do not; ByBucket if that is the same for all of it.
func (u *tellers) of(route uint64) Level {
	if u == nil || u.level == ByBucket || u.groups[ByRoute][route].kind() != tellerVaries {
		return ByBucket
	}
	return u.level
}
