package client

import (
	"hash/maphash"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A route is a method and a path pattern of a key, such as GET /users/*. Requests of one
// route wait behind each other; those of different routes do not, so that a refusal of
// one route keeps no other waiting.
type route struct {
	id   uint64 // 0 for the requests whose route is not told apart
	name string // see routeOf
	lane string
}

// noRoute is the route of requests whose route is not told apart.
var noRoute = &route{lane: "other routes"}

// routes holds the routes of an account. It is safe for concurrent use.
type routes struct {
	mu    sync.RWMutex
	known map[uint64]*route
	level atomic.Int32 // the finest at which requests are known to be counted apart
}

// of returns the route of a request. Once maxRoutes are known, requests of other routes
// share one.
func (r *routes) of(req *http.Request) *route {
	id := routeID(req.Method, req.URL.Path)
	r.mu.RLock()
	known, n := r.known[id], len(r.known)
	r.mu.RUnlock()
	switch {
	case known != nil:
		return known
	case n >= maxRoutes:
		return noRoute
	}
	return r.add(id, req)
}

func (r *routes) add(id uint64, req *http.Request) *route {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.known[id]; known != nil {
		return known
	}
	if r.known == nil {
		r.known = make(map[uint64]*route)
	}
	added := &route{id: id, name: routeOf(req), lane: "route " + strconv.FormatUint(id, 36)}
	r.known[id] = added
	return added
}

// routeID identifies the method and path pattern of a request. It is never 0.
func routeID(method, path string) uint64 {
	const odd = 0x9e3779b97f4a7c15
	id := maphash.String(accountSeed, method)
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		id *= odd
		if isName(part) {
			id += maphash.String(accountSeed, part)
		}
	}
	return id | 1
}
