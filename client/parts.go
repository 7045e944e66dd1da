package client

import (
	"strconv"
	"sync"

	"github.com/forbear-go/forbear/throttle/header"
)

// parts tells which requests of a key share their limits. Most APIs limit all
// routes together. Others name what they limit in their responses, or just show
// other limits at other routes: then the routes that show the same make a part, with
// a line and with limits of its own. It is safe for concurrent use.
type parts struct {
	mu     sync.RWMutex
	routes map[string]*showing
	split  bool // the routes are known not to share their limits
	// conflicts counts responses in turn that showed something else than the one
	// before, but the same as ever at their route. A plan that changed, which all
	// routes show one after the other, makes none.
	conflicts int
}

// showing is what the responses of a route tell their limits by.
type showing struct {
	mark uint64
	lane string
}

// maxRoutes is how many routes of a key are told apart. Those beyond share their
// limits with all that showed nothing.
const maxRoutes = 512

// enoughConflicts is how many conflicts split a key.
const enoughConflicts = 3

// mark returns what a response tells its limits by: their names, what they count, and
// how much they allow. It is 0 when it tells of none.
func mark(r *header.Reading) uint64 {
	if len(r.Windows) == 0 {
		return 0
	}
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	for i := range r.Windows {
		w := &r.Windows[i]
		for _, s := range [...]string{w.Name, w.Scope} {
			for j := range len(s) {
				h = (h ^ uint64(s[j])) * prime
			}
			h *= prime
		}
		h = (h ^ uint64(int64(w.Limit.Value))) * prime
	}
	return h | 1
}

// lane returns the lane in which requests of a route wait.
func (p *parts) lane(route string) string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if s := p.routes[route]; p.split && s != nil {
		return s.lane
	}
	return ""
}

// of returns the mark of the part that a route belongs to, or 0 for the whole.
func (p *parts) of(route string) uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if s := p.routes[route]; p.split && s != nil {
		return s.mark
	}
	return 0
}

// show notes what a response of a route showed, and whether the response before it,
// of whichever route, showed something else. It reports whether the key splits now.
func (p *parts) show(route string, m uint64, differs bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.routes[route]
	switch {
	case s == nil && len(p.routes) >= maxRoutes:
		return false
	case s == nil:
		s = &showing{}
		p.routes[route] = s
		fallthrough
	case s.mark != m:
		s.mark, s.lane = m, strconv.FormatUint(m, 36)
		p.conflicts = 0
		return false
	}
	if !differs || p.split {
		return false
	}
	p.conflicts++
	p.split = p.conflicts >= enoughConflicts
	return p.split
}
