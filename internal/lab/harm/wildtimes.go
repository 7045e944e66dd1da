package harm

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// outage is an API that refuses everything for a while.
func (d *draft) outage() {
	lasting := pick(d, d.duration(30*time.Second, 2*time.Minute), d.duration(2*time.Minute, 15*time.Minute))
	from := d.duration(0, 5*time.Minute)
	w := &d.world
	w.Span = (from + lasting + max(4*time.Minute, lasting)).Round(time.Second)
	rate := d.between(.4, 1) * fewRequests / w.Span.Seconds()
	d.crowd(rate * d.between(.7, 2))
	a := pick(d, refusal(), refusal(), refusal("Retry-After", "5"), answer{503, "{}", nil}, answer{503, "{}", nil},
		answer{503, "{}", []string{"Retry-After", "30"}}, answer{403, `{"message":"rate limit exceeded"}`, nil})
	d.sayf("everything a %d %v for %v from %v on", a.status, a.fields, lasting.Round(time.Second), from.Round(time.Second))
	others := d.otherwise(rate)
	w.API = func(s *site) http.Handler { return s.shed(others(s), within(from, from+lasting), a) }
}

// wrongClock is a server that tells moments by a clock of its own.
func (d *draft) wrongClock() {
	rate := d.limited(5*time.Minute, 4)
	off := pick(d, 2*time.Minute, 10*time.Minute, time.Hour, 5*time.Hour) * time.Duration(pick(d, 1, -1))
	undated := pick(d, true, false)
	rule := d.quota(rate, apiserver.Dialect{
		Fields:     pick(d, apiserver.XRateLimit, apiserver.XRateLimit, 0),
		RetryAfter: pick(d, apiserver.Seconds, apiserver.NoRetryAfter, apiserver.HTTPDate, apiserver.InBody),
	})
	d.sayf("the clock %v ahead, with a Date: %v", off, !undated)
	d.world.API = func(s *site) http.Handler {
		server := s.limit(s.ok(), rule)
		server.SetClockOffset(off)
		if undated {
			return edited(server, func(h http.Header) { h["Date"] = nil })
		}
		return edited(server, func(h http.Header) { h.Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat)) })
	}
}

// limitChanges is a limit that is raised or lowered. What is served counts from then on.
func (d *draft) limitChanges() {
	w := &d.world
	per := pick(d, 10*time.Second, time.Minute, time.Minute)
	at := time.Duration(pick(d, 4, 8, 12))*per + d.duration(0, per)
	times := pick(d, 1./4, 1./2, 2, 4)
	w.Span, w.Skip = (at + max(10*time.Minute, 10*per)).Round(time.Second), at
	rate := d.between(.4, 1) * fewRequests / w.Span.Seconds()
	before := rate / max(times, 1)
	d.crowd(rate * d.between(.7, 3))
	limit := max(2, int(before*per.Seconds()))
	after := max(1, int(float64(limit)*times))
	dialect := d.voice()
	rolling := d.rng.IntN(3) == 0
	d.sayf("%d in %v, %d from %v on, rolling: %v, %s", limit, per, after, at.Round(time.Second), rolling, told(dialect))
	w.API = func(s *site) http.Handler {
		var model interface {
			ratemodel.Model
			SetLimit(n int)
		} = ratemodel.NewFixed(limit, per)
		if rolling {
			model = ratemodel.NewSlidingLog(limit, per)
		}
		server := s.limit(s.ok(), apiserver.Rule{Model: func(string) ratemodel.Model { return model }, Dialect: dialect})
		time.AfterFunc(at, func() {
			server.Change("Bearer secret", func(ratemodel.Model) { model.SetLimit(after) })
		})
		return server
	}
}

// deploy is a limit whose fields change, or are no longer there, from some time on.
func (d *draft) deploy() {
	rate := d.limited(8*time.Minute, 4)
	at := d.world.Span / 3
	dialect := apiserver.Dialect{
		Fields: apiserver.XRateLimit, Form: pick(d, apiserver.Epoch, apiserver.Delta), RetryAfter: pick(d, apiserver.Seconds, apiserver.NoRetryAfter),
	}
	rule := d.quota(rate, dialect)
	gone := []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
	changes := []struct {
		words string
		edit  func(http.Header)
	}{
		{"all fields vanish", func(h http.Header) { remove(h, gone...) }},
		{"what remains vanishes", func(h http.Header) { remove(h, gone[1]) }},
		{"the reset vanishes", func(h http.Header) { remove(h, gone[2]) }},
		{"all fields vanish and are back by and by", func(h http.Header) {
			if time.Now().Second()%2 == 0 {
				remove(h, gone...)
			}
		}},
		{"the fields are renamed", func(h http.Header) {
			h.Set("RateLimit-Limit", h.Get(gone[0]))
			h.Set("RateLimit-Remaining", h.Get(gone[1]))
			remove(h, gone...)
		}},
		{"the reset is told in milliseconds", func(h http.Header) { h.Set(gone[2], h.Get(gone[2])+"000") }},
		{"what remains is frozen", func(h http.Header) { h.Set(gone[1], "1") }},
		{"nothing remains, it says", func(h http.Header) { h.Set(gone[1], "0") }},
		{"the reset is frozen", func(h http.Header) { h.Set(gone[2], strconv.Itoa(int(at.Seconds()))) }},
		{"a limit ten times as high, it says", func(h http.Header) { h.Set(gone[0], h.Get(gone[0])+"0"); h.Set(gone[1], h.Get(gone[1])+"0") }},
	}
	c := changes[d.rng.IntN(len(changes))]
	d.sayf("from %v on: %s", at.Round(time.Second), c.words)
	d.world.API = func(s *site) http.Handler {
		return edited(s.limit(s.ok(), rule), func(h http.Header) {
			if time.Since(s.start) >= at {
				c.edit(h)
			}
		})
	}
}

func remove(h http.Header, names ...string) {
	for _, name := range names {
		h.Del(name)
	}
}

// comeAndGo is processes that share a limit, each of which is there only for a time.
func (d *draft) comeAndGo() {
	w := &d.world
	w.Processes = pick(d, 2, 3, 4)
	rate := d.limited(5*time.Minute, 3)
	w.Callers = max(1, w.Callers/w.Processes)
	rule := d.quota(rate, d.voice())
	span, each := w.Span, w.Callers
	from, until := make([]time.Duration, w.Processes), make([]time.Duration, w.Processes)
	for i := 1; i < len(from); i++ { // the first is there all the time
		from[i] = d.duration(0, span*3/4)
		until[i] = from[i] + d.duration(span/8, span/2)
		d.sayf("process %d from %v to %v", i, from[i].Round(time.Second), until[i].Round(time.Second))
	}
	w.Away = func(caller int, since time.Duration) time.Duration {
		i := caller / each
		switch {
		case i == 0:
			return 0
		case since < from[i]:
			return from[i] - since
		case since >= until[i]:
			return span - since
		}
		return 0
	}
	w.API = func(s *site) http.Handler { return s.limit(s.ok(), rule) }
}

// bursts is callers that are away for long, and then come all at once.
func (d *draft) bursts() {
	w := &d.world
	every := d.duration(30*time.Second, 6*time.Minute)
	lasting := d.duration(5*time.Second, every/2)
	w.Span = (every*time.Duration(pick(d, 4, 6, 8)) + lasting).Round(time.Second)
	rate := d.between(.4, 1) * fewRequests / w.Span.Seconds() * float64(every) / float64(lasting)
	d.crowd(rate)
	d.sayf("%.1f a second for %v of each %v", rate, lasting.Round(time.Second), every.Round(time.Second))
	w.Away = func(_ int, since time.Duration) time.Duration {
		if since%every < lasting {
			return 0
		}
		return every - since%every
	}
	switch d.rng.IntN(4) {
	case 0:
		share, a := d.between(.005, .1), pick(d, refusal(), answer{503, "{}", nil}, refusal("Retry-After", "2"))
		d.sayf("%.1f %% a %d %v", 100*share, a.status, a.fields)
		w.API = func(s *site) http.Handler { return s.shed(s.ok(), always(share), a) }
	default:
		rule := d.quota(rate*d.between(.2, 1.5), d.voice())
		w.API = func(s *site) http.Handler { return s.limit(s.ok(), rule) }
	}
}

// sheds is a server that turns some requests away: of one caller, of many routes, for a
// short time or all the time.
func (d *draft) sheds() {
	w := &d.world
	w.Span = pick(d, time.Minute, 3*time.Minute, 10*time.Minute)
	d.crowd(fewRequests / w.Span.Seconds())
	if pick(d, true, false) {
		routes := strings.Split("abcdefghijklmnopqrst", "")[:pick(d, 5, 20)]
		for i := range routes {
			routes[i] = "/" + routes[i] + "-list"
		}
		w.Request = anyOf(routes)
		d.sayf("any of %d routes", len(routes))
	}
	share := pick(d, .01, .01, .05, .2, .5)
	a := pick(d, refusal(), refusal(), refusal("Retry-After", "1"), refusal("Retry-After", "10"),
		answer{503, "{}", nil}, answer{503, "{}", []string{"Retry-After", "1"}})
	d.sayf("%.0f %% a %d %v", 100*share, a.status, a.fields)
	others := d.otherwise(fewRequests / w.Span.Seconds())
	w.API = func(s *site) http.Handler { return s.shed(others(s), always(share), a) }
}

// edited lets edit change the header of each response before it goes.
func edited(next http.Handler, edit func(http.Header)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(editing{w, edit}, r) })
}

// editing is a ResponseWriter of a handler that always sets the status.
type editing struct {
	http.ResponseWriter
	edit func(http.Header)
}

// WriteHeader implements http.ResponseWriter.
func (e editing) WriteHeader(status int) {
	e.edit(e.Header())
	e.ResponseWriter.WriteHeader(status)
}
