package harm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// pool draws the routes that every caller takes any of, and how long it waits for one.
func (d *draft) pool() []string {
	names := []string{"/search", "/items", "/users", "/reports", "/orders", "/teams", "/files", "/tags", "/notes", "/jobs", "/plans", "/logs"}
	names = names[:pick(d, 3, 5, 12)]
	d.world.Request = anyOf(names)
	d.world.Timeout = pick(d, 0, 0, 30*time.Second, time.Minute)
	d.sayf("workers that take any of %d routes, timeout %v", len(names), d.world.Timeout)
	return names
}

// badRoute is one route that refuses everything, for a time or for ever.
func (d *draft) badRoute() {
	rate := d.limited(5*time.Minute, 2)
	d.pool()
	bad := pick(d, refusal(), refusal(), refusal("Retry-After", "30"), refusal("Retry-After", "3600"),
		answer{503, "{}", nil}, answer{503, "{}", []string{"Retry-After", "20"}}, answer{502, "bad gateway", nil})
	from := pick(d, 0, d.duration(0, d.world.Span/2))
	until := pick(d, d.world.Span, d.world.Span, from+d.duration(time.Minute, d.world.Span/2))
	d.sayf("/search a %d %v from %v to %v", bad.status, bad.fields, from.Round(time.Second), until.Round(time.Second))
	others := d.otherwise(rate)
	d.world.API = func(s *site) http.Handler {
		h := others(s)
		return byPath("/search", s.shed(h, within(from, until), bad), h)
	}
}

// narrowRoute is one route that has a limit of its own. Who waits for it for as long as it takes
// does nothing else meanwhile, so a worker gives up after some time, and takes what comes next.
func (d *draft) narrowRoute() {
	rate := d.limited(5*time.Minute, 2)
	routes := d.pool()
	d.world.Timeout, d.world.Heedless = pick(d, 5*time.Second, 15*time.Second, 30*time.Second), true
	d.sayf("a timeout of %v; /search", d.world.Timeout)
	narrow := d.quota(rate/float64(len(routes))*d.between(.1, .7), d.voice())
	others := d.otherwise(rate)
	d.world.API = func(s *site) http.Handler { return byPath("/search", s.limit(s.ok(), narrow), others(s)) }
}

// apart draws a limit for each of some keys, the first of which allow less.
func (d *draft) apart(names []string, times float64) (limits map[string]apiserver.Rule) {
	rate := d.limited(5*time.Minute, times)
	dialect := d.voice()
	limits = map[string]apiserver.Rule{}
	for i, name := range names {
		d.sayf("%s", name)
		limits[name] = d.quota(rate/float64(len(names))*pick(d, 1, 1, .2+float64(i)/float64(len(names))), dialect)
	}
	return limits
}

// keyed counts each key by its limit.
func (s *site) keyed(limits map[string]apiserver.Rule, key func(*http.Request) string) http.Handler {
	all := map[string]http.Handler{}
	for name, rule := range limits {
		all[name] = s.limit(s.ok(), rule)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { all[key(r)].ServeHTTP(w, r) })
}

// chooser draws whether a caller always uses the same of some names, or any.
func (d *draft) chooser(names []string) func(ctx context.Context, caller int) string {
	if pick(d, true, false) {
		d.sayf("each caller one")
		return func(_ context.Context, caller int) string { return names[caller%len(names)] }
	}
	return func(ctx context.Context, _ int) string { return pickOf(drawsOf(ctx), names...) }
}

// byHeader is limits for each value of a header.
func (d *draft) byHeader() {
	field := pick(d, "X-Tenant-Id", "X-Operation", "X-Amz-Target", "X-Model", "X-Workspace")
	names := numbered(strings.ToLower(field[2:])+"-%d", pick(d, 2, 3, 5))
	d.sayf("limits by %s", field)
	limits := d.apart(names, 5)
	choose := d.chooser(names)
	d.world.Request = func(ctx context.Context, caller, _ int) *http.Request {
		req := request(ctx, "/items")
		req.Header.Set(field, choose(ctx, caller))
		return req
	}
	d.world.API = func(s *site) http.Handler {
		return s.keyed(limits, func(r *http.Request) string { return r.Header.Get(field) })
	}
}

// byBody is limits for what the bodies of requests name.
func (d *draft) byBody() {
	field := pick(d, "model", "operation", "tenant")
	names := numbered(field+"-%d", pick(d, 2, 3, 5))
	d.sayf("limits by what a body calls the %s", field)
	limits := d.apart(names, 5)
	choose := d.chooser(names)
	d.world.Request = func(ctx context.Context, caller, n int) *http.Request {
		body := fmt.Appendf(nil, `{"%s":"%s","text":"%d"}`, field, choose(ctx, caller), n)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.test/run", bytes.NewReader(body))
		if err != nil {
			panic(err) // the URL is well formed
		}
		req.Header.Set("Authorization", "Bearer secret")
		req.Header.Set("Content-Type", "application/json")
		return req
	}
	d.world.API = func(s *site) http.Handler {
		return s.keyed(limits, func(r *http.Request) string {
			body, _ := io.ReadAll(r.Body) // from memory
			return strings.Split(string(body), `"`)[3]
		})
	}
}

// byMethod is limits for each method.
func (d *draft) byMethod() {
	methods := []string{http.MethodGet, http.MethodPut, http.MethodDelete}[:pick(d, 2, 3)]
	limits := d.apart(methods, 5)
	choose := d.chooser(methods)
	d.world.Request = func(ctx context.Context, caller, _ int) *http.Request {
		req := request(ctx, "/items/7")
		req.Method = choose(ctx, caller)
		return req
	}
	d.world.API = func(s *site) http.Handler {
		return s.keyed(limits, func(r *http.Request) string { return r.Method })
	}
}

// byID is a limit for each id in the path.
func (d *draft) byID() {
	n := pick(d, 3, 8, 20)
	rate := d.limited(5*time.Minute, 4)
	d.sayf("%d ids in the path", n)
	rule := d.quota(rate/float64(n), d.voice())
	names := numbered("%d", n)
	choose := d.chooser(names)
	d.world.Request = func(ctx context.Context, caller, _ int) *http.Request {
		return request(ctx, "/channels/8174000000000000"+choose(ctx, caller)+"/messages")
	}
	d.world.API = func(s *site) http.Handler {
		return s.limitFor(func(r *http.Request) string { return r.URL.Path }, s.ok(), rule)
	}
}

// stickyNodes is nodes that count apart, of which each caller reaches always the same.
func (d *draft) stickyNodes() {
	n := pick(d, 2, 3, 5)
	rate := d.limited(5*time.Minute, 4)
	d.sayf("%d nodes to which callers are pinned", n)
	rule := d.quota(rate/float64(n), d.voice())
	d.world.Callers = max(d.world.Callers, n)
	d.world.Request = func(ctx context.Context, caller, _ int) *http.Request {
		req := request(ctx, "/items")
		req.Header.Set("Cookie", "node="+strconv.Itoa(caller%n))
		return req
	}
	d.world.API = func(s *site) http.Handler {
		return s.limitFor(func(r *http.Request) string { return r.Header.Get("Cookie") }, s.ok(), rule)
	}
}

// inFlight is a limit on how many requests are served at once.
func (d *draft) inFlight() {
	w := &d.world
	n := pick(d, 3, 5, 10, 20)
	least := d.duration(50*time.Millisecond, time.Second)
	most := least + d.duration(0, time.Second)
	w.Span = min(seconds(fewRequests/float64(n)*(least+most).Seconds()/2), 15*time.Minute).Round(time.Second)
	w.Callers = int(float64(n) * d.between(.8, 5))
	a := pick(d, refusal(), refusal(), refusal("Retry-After", "1"), answer{503, "{}", nil})
	d.sayf("%d at once, each for %v to %v, a %d %v", n, least, most, a.status, a.fields)
	w.API = func(s *site) http.Handler { return s.atOnce(n, slow(s.ok(), least, most), a) }
}

// slowResponses is responses that take long, with a limit that is not announced.
func (d *draft) slowResponses() {
	w := &d.world
	least := d.duration(3*time.Second, 12*time.Second)
	most := least + d.duration(time.Second, 15*time.Second)
	w.Callers = pick(d, 20, 50, 100)
	w.Span = d.duration(10*time.Minute, 20*time.Minute).Round(time.Second)
	d.sayf("responses take %v to %v", least, most)
	rule := d.quota(float64(w.Callers)/(least+most).Seconds()*2*d.between(.2, .9), d.silent())
	late := pick(d, true, false)
	d.sayf("refusals as late: %v", late)
	w.API = func(s *site) http.Handler {
		if late {
			return slow(s.limit(s.ok(), rule), least, most)
		}
		return s.limit(slow(s.ok(), least, most), rule)
	}
}

func numbered(format string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(format, i)
	}
	return names
}

// within is everything from one time to another, and nothing else.
func within(from, until time.Duration) func(time.Duration) float64 {
	return func(since time.Duration) float64 {
		if since >= from && since < until {
			return 1
		}
		return 0
	}
}
