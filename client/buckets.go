package client

import (
	"iter"
	"strings"
	"sync"

	"github.com/forbear-go/forbear/throttle/header"
)

// buckets determines which requests of a key share their limits. Most APIs limit all
// routes together. Others name what they limit in their responses, or show different
// limits on different routes: then the routes that show the same limits form a bucket,
// with a queue and limits of its own. It is safe for concurrent use.
type buckets struct {
	mu     sync.RWMutex
	routes map[string]uint64 // what each route showed last
	heads  map[string]uint64 // what all routes showed that begin so; 0 if they differ
	sizes  map[uint64]int    // how many routes each has
	usual  uint64            // the largest
	split  bool              // the routes are known not to share their limits
	// conflicts counts responses in turn that showed something else than the one
	// before, but the same as ever at their route. A plan that changed, which all
	// routes show one after the other, makes none.
	conflicts int
}

// newParts returns parts of which one route is known.
func newParts(route string, shown fingerprint) *buckets {
	p := &buckets{
		routes: make(map[string]uint64), heads: make(map[string]uint64),
		sizes: make(map[uint64]int),
	}
	p.note(route, shown.mark)
	return p
}

// maxRoutes is how many routes of a key are distinguished. Routes beyond that share
// their limits with the routes that showed no limits.
const maxRoutes = 512

// enoughConflicts is how many conflicts split a key.
const enoughConflicts = 3

// A fingerprint identifies the limits that a response announces.
type fingerprint struct {
	mark  uint64 // their names, what they count, and how much they allow; 0 if there are none
	scope uint64 // only what they count; 0 if one does not say
}

// signOf returns the sign of a response.
func signOf(r *header.Reading) (s fingerprint) {
	if len(r.Windows) == 0 {
		return s
	}
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	add := func(h uint64, text string) uint64 {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * prime
		}
		return h * prime
	}
	s.mark, s.scope = offset, offset
	for i := range r.Windows {
		w := &r.Windows[i]
		s.mark = add(add(s.mark, w.Name), w.Scope)
		s.mark = (s.mark ^ uint64(int64(w.Limit.Value))) * prime
		if scope := scopeOf(r, w); scope == "" {
			s.scope = 0
		} else if s.scope != 0 {
			s.scope = add(s.scope, scope) | 1
		}
	}
	s.mark |= 1
	return s
}

// scopeOf returns what a window counts, if the response says so: the name of an only
// window that is none of a period, such as X-RateLimit-Resource gives it.
func scopeOf(r *header.Reading, w *header.Window) string {
	if w.Scope == "" && len(r.Windows) == 1 && w.Length == 0 && w.Name != "default" {
		return w.Name
	}
	return w.Scope
}

// of returns the mark of the part that a route belongs to, or 0 for the whole.
func (p *buckets) of(route string) uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.markOf(route)
}

// markOf guesses what a route shows that showed nothing yet: what others show that
// begin like it, or else what most do.
func (p *buckets) markOf(route string) uint64 {
	if !p.split {
		return 0
	}
	if m, ok := p.routes[route]; ok {
		return m
	}
	for head := range headsOf(route) {
		if m := p.heads[head]; m != 0 {
			return m
		}
	}
	return p.usual
}

// maxHead is how many segments of a route its heads have at the most.
const maxHead = 4

// headsOf returns what a route begins with, the longest first.
func headsOf(route string) iter.Seq[string] {
	return func(yield func(string) bool) {
		head := route
		for strings.Count(head, "/") > maxHead {
			head = head[:strings.LastIndexByte(head, '/')]
		}
		for {
			i := strings.LastIndexByte(head, '/')
			if i <= 0 {
				return
			}
			if head = head[:i]; !yield(head) {
				return
			}
		}
	}
}

// note notes what a route shows.
func (p *buckets) note(route string, m uint64) {
	was, known := p.routes[route]
	p.routes[route] = m
	if known {
		if p.sizes[was]--; p.sizes[was] == 0 {
			delete(p.sizes, was)
		}
	}
	if p.sizes[m]++; p.sizes[m] > p.sizes[p.usual] {
		p.usual = m
	}
	for head := range headsOf(route) {
		switch all, begun := p.heads[head]; {
		case !begun, known && all == was:
			p.heads[head] = m
		case all != m:
			p.heads[head] = 0
		}
	}
}

// show notes what a response of a route showed, and what the response before it showed,
// of whichever route. It reports whether the key splits now.
func (p *buckets) show(route string, shown, before fingerprint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, known := p.routes[route]
	switch {
	case known && was != shown.mark:
		p.note(route, shown.mark)
		p.conflicts = 0
		return false
	case !known && len(p.routes) >= maxRoutes:
		return false
	case !known:
		p.note(route, shown.mark)
	}
	if p.split || shown.mark == before.mark {
		return false
	}
	switch {
	case shown.scope != 0 && before.scope != 0 && shown.scope != before.scope:
		p.split = true // they say it themselves
	case known:
		p.conflicts++
		p.split = p.conflicts >= enoughConflicts
	}
	return p.split
}
