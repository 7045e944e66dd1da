package sharing

import (
	"iter"
	"strings"

	"github.com/forbear-go/forbear/throttle/header"
)

// Buckets determines which requests of a key share their limits. Most APIs limit all
// routes together. Others name what they limit in their responses, or show different
// limits on different routes: then the routes that show the same limits form a bucket,
// with a queue and limits of its own. A Buckets is not safe for concurrent use.
type Buckets struct {
	routes   map[string]uint64 // the bucket of each route: the fingerprint that it showed last
	prefixes map[string]uint64 // the bucket of all routes that begin so; 0 if they differ
	sizes    map[uint64]int    // how many routes each bucket has
	largest  uint64            // the bucket of the most routes
	split    bool              // the routes are known not to share their limits
	// conflicts counts consecutive responses that showed other limits than the response
	// before them, but the same as ever for their own route. A change of plan, which all
	// routes show one after the other, makes none.
	conflicts int
}

// NewBuckets returns buckets of which one route is known.
func NewBuckets(route string, shown Fingerprint) *Buckets {
	b := &Buckets{
		routes: make(map[string]uint64), prefixes: make(map[string]uint64),
		sizes: make(map[uint64]int),
	}
	b.note(route, shown.Mark)
	return b
}

// maxRoutes is how many routes of a key are distinguished. Routes beyond that share
// their limits with the routes that showed no limits.
const maxRoutes = 512

// enoughConflicts is how many conflicts split a key.
const enoughConflicts = 3

// A Fingerprint identifies the limits that a response announces.
type Fingerprint struct {
	Mark  uint64 // their names, what they count, and how much they allow; 0 if there are none
	Scope uint64 // only what they count; 0 if a limit does not say
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

// scopeOf returns what a window counts, if the response says so: the name of a
// single window that has no period, such as X-RateLimit-Resource gives it.
func scopeOf(r *header.Reading, w *header.Window) string {
	if w.Scope == "" && len(r.Windows) == 1 && w.Length == 0 && w.Name != "default" {
		return w.Name
	}
	return w.Scope
}

// Of returns the bucket of a route, as the Mark of its fingerprint, or 0 while all routes share
// their limits. A route that showed nothing yet is taken to belong to the bucket of those that
// begin like it, or else to the largest.
func (b *Buckets) Of(route string) uint64 {
	if !b.split {
		return 0
	}
	if m, ok := b.routes[route]; ok {
		return m
	}
	for prefix := range prefixesOf(route) {
		if m := b.prefixes[prefix]; m != 0 {
			return m
		}
	}
	return b.largest
}

// maxPrefix is how many segments of a route its prefixes have at the most.
const maxPrefix = 4

// prefixesOf returns what a route begins with, the longest first.
func prefixesOf(route string) iter.Seq[string] {
	return func(yield func(string) bool) {
		prefix := route
		for strings.Count(prefix, "/") > maxPrefix {
			prefix = prefix[:strings.LastIndexByte(prefix, '/')]
		}
		for {
			i := strings.LastIndexByte(prefix, '/')
			if i <= 0 {
				return
			}
			if prefix = prefix[:i]; !yield(prefix) {
				return
			}
		}
	}
}

// Knows reports whether a route has shown something.
func (b *Buckets) Knows(route string) bool {
	_, ok := b.routes[route]
	return ok
}

// note notes what a route shows.
func (b *Buckets) note(route string, m uint64) {
	was, known := b.routes[route]
	b.routes[route] = m
	if known {
		if b.sizes[was]--; b.sizes[was] == 0 {
			delete(b.sizes, was)
		}
	}
	if b.sizes[m]++; b.sizes[m] > b.sizes[b.largest] {
		b.largest = m
	}
	for prefix := range prefixesOf(route) {
		switch all, begun := b.prefixes[prefix]; {
		case !begun, known && all == was:
			b.prefixes[prefix] = m
		case all != m:
			b.prefixes[prefix] = 0
		}
	}
}

// Show notes what a response of a route showed, and what the response before it showed,
// whatever its route. It reports whether the key splits now.
func (b *Buckets) Show(route string, shown, before Fingerprint) bool {
	was, known := b.routes[route]
	switch {
	case known && was != shown.Mark:
		b.note(route, shown.Mark)
		b.conflicts = 0
		return false
	case !known && len(b.routes) >= maxRoutes:
		return false
	case !known:
		b.note(route, shown.Mark)
	}
	if b.split || shown.Mark == before.Mark {
		return false
	}
	switch {
	case shown.Scope != 0 && before.Scope != 0 && shown.Scope != before.Scope:
		b.split = true // they say it themselves
	case known:
		b.conflicts++
		b.split = b.conflicts >= enoughConflicts
	}
	return b.split
}
