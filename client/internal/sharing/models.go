package sharing

import (
	"math"

	"github.com/forbear-go/forbear/throttle/header"
)

// Models finds out which models of a bucket share its limits. Models that show the same limits are
// taken to share them, until what is left of one goes on where the last response of that model
// left it, and not where that of another did.
type Models struct {
	known []*model // the first of those that share limits stands for them
}

type model struct {
	route  uint64
	left   []share // as its last response said
	at     int     // when that was
	scores []int8  // for each that is older: how much the two seem to be counted apart
}

// A share is the part of a window that is left.
type share struct {
	name, unit string
	left       float64
}

const (
	maxModels  = 32  // models beyond that are taken to share the limits of the first
	farApart   = 0.1 // of the limit: what one response tells may differ by less from the next
	surelyNear = 4   // so many times nearer
	apartAt    = 4   // responses, less those of the contrary, that separate two models
	apartMost  = 8
)

// Show takes in what the response to a request of a model says, which names it by its route. It
// reports whether other models are known to share its limits now than before.
func (m *Models) Show(route uint64, r *header.Reading) (changed bool) {
	said := sharesOf(r)
	if len(said) == 0 {
		return false
	}
	i, newest := -1, 0
	for k, x := range m.known {
		if x.route == route {
			i = k
		}
		newest = max(newest, x.at)
	}
	if i < 0 {
		if len(m.known) < maxModels {
			m.known = append(m.known, &model{route: route, left: said, at: newest + 1, scores: make([]int8, len(m.known))})
		}
		return false
	}
	was, own := m.Group(route), m.known[i]
	for k, x := range m.known {
		if x.at > own.at {
			older, younger := min(i, k), max(i, k)
			m.known[younger].score(older, compare(said, own.left, x.left))
		}
	}
	own.left, own.at = said, newest+1
	return m.Group(route) != was
}

// Group returns the route of the model that stands for those with which a model shares its
// limits, and 0 if that is the first.
func (m *Models) Group(route uint64) uint64 {
	var leads [maxModels]bool
	for i, x := range m.known {
		of := i
		for k, score := range x.scores {
			if leads[k] && score < apartAt {
				of = k
				break
			}
		}
		leads[i] = of == i
		switch {
		case x.route != route:
		case of == 0:
			return 0
		default:
			return m.known[of].route
		}
	}
	return 0
}

func (x *model) score(older int, by int8) {
	x.scores[older] = min(max(x.scores[older]+by, -apartMost), apartMost)
}

// compare returns 1 if what is left goes on where own was, far from other, and -1 in the contrary case.
func compare(said, own, other []share) int8 {
	a, b := distance(said, own), distance(said, other)
	switch {
	case b > farApart && surelyNear*a < b:
		return 1
	case a > farApart && surelyNear*b < a:
		return -1
	}
	return 0
}

// distance returns how far what is left of the windows differs.
func distance(a, b []share) (sum float64) {
	for _, x := range a {
		for _, y := range b {
			if x.name == y.name && x.unit == y.unit {
				sum += math.Abs(x.left - y.left)
			}
		}
	}
	return sum
}

// sharesOf returns what a response says of the windows.
func sharesOf(r *header.Reading) (s []share) {
	for i := range r.Windows {
		w := &r.Windows[i]
		if !w.Limit.Known() || !w.Remaining.Known() || w.Limit.Value <= 0 {
			continue
		}
		s = append(s, share{w.Name, w.Unit, min(max(w.Remaining.Value/w.Limit.Value, 0), 1)})
	}
	return s
}
