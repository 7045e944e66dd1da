// Package sharing finds out which requests of a key share their limits: those of a route, of
// all routes that show the same limits, of one thing named in the path, or all of them.
//
// Of this module it imports what responses say, package header. Start reading at [Buckets].
package sharing

import (
	"hash/maphash"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A Route is a method and a path pattern of a key, such as GET /users/*. Requests of one
// route wait behind each other; those of different routes do not, so that a refusal of
// one route keeps no other waiting.
type Route struct {
	ID     uint64 // 0 for the requests whose route is not told apart
	Name   string // see [RouteOf]
	Bucket string
	// Level is that at which its requests are counted, as far as its last response shows.
	Level atomic.Int32
	// Bodies is whether it matters what owner a body names; see [OwnerInBody].
	Bodies atomic.Bool
	// Served is whether any of its requests was served.
	Served atomic.Bool
}

// seed makes what identifies routes and groups unpredictable.
var seed = maphash.MakeSeed()

// Routes holds the routes of a key. It is safe for concurrent use.
type Routes struct {
	mu     sync.Mutex                        // of those who add a route
	known  atomic.Pointer[map[uint64]*Route] // never changed, but replaced
	others *Route                            // of requests whose route is not told apart; nil until there are any
}

// all returns the routes that are known, by their IDs.
func (r *Routes) all() map[uint64]*Route {
	if known := r.known.Load(); known != nil {
		return *known
	}
	return nil
}

// Of returns the route of a request. Once maxRoutes are known, requests of other routes
// share one.
func (r *Routes) Of(req *http.Request) *Route {
	id := routeID(req.Method, req.URL.Path)
	if found := r.all()[id]; found != nil {
		return found
	}
	return r.add(id, RouteOf(req.Method, req.URL.Path))
}

func (r *Routes) add(id uint64, name string) *Route {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.all()
	if found := known[id]; found != nil {
		return found
	}
	if len(known) >= maxRoutes {
		if r.others == nil {
			r.others = &Route{Bucket: "other routes"}
		}
		return r.others
	}
	if known = maps.Clone(known); known == nil {
		known = make(map[uint64]*Route)
	}
	added := &Route{ID: id, Name: name, Bucket: "route " + strconv.FormatUint(id, 36)}
	known[id] = added
	r.known.Store(&known)
	return added
}

// OfModel returns the route of requests of another one that name a model: it may have limits of
// its own, like a path.
func (r *Routes) OfModel(of *Route, model string) *Route {
	if of.ID == 0 {
		return of
	}
	const odd = 0x9e3779b97f4a7c15
	id := (of.ID*odd + maphash.String(seed, model)) | 1
	if found := r.all()[id]; found != nil {
		return found
	}
	added := r.add(id, of.Name+"#"+strings.ReplaceAll(model, "/", "_"))
	if added.ID == 0 {
		return of
	}
	return added
}
