package sharing

import (
	"iter"
	"strings"
	"sync"

	"github.com/forbear-go/forbear/throttle/header"
)

// Buckets determines which requests of a key share their limits. Most APIs limit all
// routes together. Others name what they limit in their responses, or show different
// limits on different routes: then the routes that show the same limits form a bucket,
// with a queue and limits of its own. It is safe for concurrent use.
type Buckets struct {
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

// NewBuckets returns buckets of which one route is known.
func NewBuckets(route string, shown Fingerprint) *Buckets {
	p := &Buckets{
		routes: make(map[string]uint64), heads: make(map[string]uint64),
		sizes: make(map[uint64]int),
	}
	p.note(route, shown.Mark)
	return p
}

// maxRoutes is how many routes of a key are distinguished. Routes beyond that share
// their limits with the routes that showed no limits.
const maxRoutes = 512

// enoughConflicts is how many conflicts split a key.
const enoughConflicts = 3

// A Fingerprint identifies the limits that a response announces.
type Fingerprint struct {
	Mark  uint64 // their names, what they count, and how much they allow; 0 if there are none
	Scope uint64 // only what they count; 0 if one does not say
}

// FingerprintOf returns the fingerprint of a response.
func FingerprintOf(r *header.Reading) (s Fingerprint) {
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
	s.Mark, s.Scope = offset, offset
	for i := range r.Windows {
		w := &r.Windows[i]
		s.Mark = add(add(s.Mark, w.Name), w.Scope)
		s.Mark = (s.Mark ^ uint64(int64(w.Limit.Value))) * prime
		if scope := scopeOf(r, w); scope == "" {
			s.Scope = 0
		} else if s.Scope != 0 {
			s.Scope = add(s.Scope, scope) | 1
		}
	}
	s.Mark |= 1
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

// Of returns the mark of the bucket that a route belongs to, or 0 for the whole.
func (p *Buckets) Of(route string) uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.markOf(route)
}

// markOf guesses what a route shows that showed nothing yet: what others show that
// begin like it, or else what most do.
func (p *Buckets) markOf(route string) uint64 {
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
func (p *Buckets) note(route string, m uint64) {
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

// Show notes what a response of a route showed, and what the response before it showed,
// of whichever route. It reports whether the key splits now.
func (p *Buckets) Show(route string, shown, before Fingerprint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, known := p.routes[route]
	switch {
	case known && was != shown.Mark:
		p.note(route, shown.Mark)
		p.conflicts = 0
		return false
	case !known && len(p.routes) >= maxRoutes:
		return false
	case !known:
		p.note(route, shown.Mark)
	}
	if p.split || shown.Mark == before.Mark {
		return false
	}
	switch {
	case shown.Scope != 0 && before.Scope != 0 && shown.Scope != before.Scope:
		p.split = true // they say it themselves
	case known:
		p.conflicts++
		p.split = p.conflicts >= enoughConflicts
	}
	return p.split
}
