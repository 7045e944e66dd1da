package client

import (
	"hash/maphash"
	"maps"
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
	id     uint64 // 0 for the requests whose route is not told apart
	name   string // see routeOf
	bucket string
}

// noRoute is the route of requests whose route is not told apart.
var noRoute = &route{bucket: "other routes"}

// routes holds the routes of an account. It is safe for concurrent use.
type routes struct {
	mu    sync.Mutex                        // of those who add a route
	known atomic.Pointer[map[uint64]*route] // never changed, but replaced
	level atomic.Int32                      // the finest at which requests are known to be counted apart
}

// of returns the route of a request. Once maxRoutes are known, requests of other routes
// share one.
func (r *routes) of(req *http.Request) *route {
	id := routeID(req.Method, req.URL.Path)
	if known := r.known.Load(); known != nil {
		if found := (*known)[id]; found != nil {
			return found
		}
	}
	return r.add(id, req)
}

func (r *routes) add(id uint64, req *http.Request) *route { return r.addNamed(id, routeOf(req)) }

func (r *routes) addNamed(id uint64, name string) *route {
	r.mu.Lock()
	defer r.mu.Unlock()
	var known map[uint64]*route
	if old := r.known.Load(); old != nil {
		if found := (*old)[id]; found != nil {
			return found
		}
		if len(*old) >= maxRoutes {
			return noRoute
		}
		known = maps.Clone(*old)
	} else {
		known = make(map[uint64]*route)
	}
	added := &route{id: id, name: name, bucket: "route " + strconv.FormatUint(id, 36)}
	known[id] = added
	r.known.Store(&known)
	return added
}

// ofModel returns the route of requests of another one that name a model: it may have limits of
// its own, like a path.
func (r *routes) ofModel(of *route, model string) *route {
	if of == noRoute {
		return of
	}
	const odd = 0x9e3779b97f4a7c15
	id := (of.id*odd + maphash.String(accountSeed, model)) | 1
	if known := r.known.Load(); known != nil {
		if found := (*known)[id]; found != nil {
			return found
		}
	}
	added := r.addNamed(id, of.name+"#"+strings.ReplaceAll(model, "/", "_"))
	if added == noRoute {
		return of
	}
	return added
}

// routeID identifies the method and path pattern of a request. It is never 0.
func routeID(method, path string) uint64 {
	const odd = 0x9e3779b97f4a7c15
	id := maphash.String(accountSeed, method)
	path = strings.Trim(path, "/")
	for more := true; more; {
		var part string
		part, path, more = strings.Cut(path, "/")
		id *= odd
		if isName(part) {
			id += maphash.String(accountSeed, part)
		}
	}
	return id | 1
}
