package harm

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A wildness is a way in which APIs, or the programs that call them, are out of the
// ordinary. It draws the whole world.
type wildness struct {
	kind string
	draw func(*draft)
}

func wildnesses() []wildness {
	return []wildness{
		{"pool, bad route", (*draft).badRoute},
		{"pool, route limited alone", (*draft).narrowRoute},
		{"limits by header", (*draft).byHeader},
		{"limits by body", (*draft).byBody},
		{"limits by method", (*draft).byMethod},
		{"limits by id", (*draft).byID},
		{"outage", (*draft).outage},
		{"wrong clock", (*draft).wrongClock},
		{"limit changes", (*draft).limitChanges},
		{"deploy", (*draft).deploy},
		{"come and go", (*draft).comeAndGo},
		{"idle, then bursts", (*draft).bursts},
		{"sticky nodes", (*draft).stickyNodes},
		{"slow responses", (*draft).slowResponses},
		{"limit in flight", (*draft).inFlight},
		{"sheds", (*draft).sheds},
	}
}

// wild returns the wild world of a seed: of each kind there are as many.
func wild(seed uint64) drawn {
	d := &draft{rng: rand.New(rand.NewPCG(seed, 23))}
	d.network()
	all := wildnesses()
	of := all[seed%uint64(len(all))]
	d.kinds = []string{of.kind}
	of.draw(d)
	w := d.world
	w.ID = fmt.Sprint("wild ", seed)
	w.Name = fmt.Sprintf("%s; %s; %d callers, think %v, trips %v to %v, %v", w.ID, strings.Join(d.words, "; "), w.Callers, w.Think, w.Least, w.Most, w.Span)
	return drawn{w, d.kinds, w.Span} // a wait for an outage to end is as long as the outage
}

// network draws how far away the API is.
func (d *draft) network() {
	w := &d.world
	w.Least = d.duration(2*time.Millisecond, 80*time.Millisecond)
	w.Most = w.Least + d.duration(0, pick(d, 20*time.Millisecond, 150*time.Millisecond))
	w.Request = get("/items")
	if w.Heedless = pick(d, true, false); w.Heedless {
		d.sayf("heedless")
	}
}

// crowd draws callers that send so many requests a second if nothing holds them, of which
// each takes as long as a round trip.
func (d *draft) crowd(rate float64) {
	w := &d.world
	trip := w.Least + w.Most
	w.Callers = pick(d, 1, 2, 5, 10, 20, 20)
	if least := int(math.Ceil(rate * trip.Seconds())); w.Callers < least {
		w.Callers = min(least, 100)
	}
	w.Think = max(0, seconds(float64(w.Callers)/rate)-trip).Round(time.Millisecond)
}

// fewRequests is how many requests a wild world serves about, so that a hundred of them
// are quick.
const fewRequests = 2500

// longestWild is the longest span of a wild world with a limit.
const longestWild = 20 * time.Minute

// limited draws a span, how many requests a second a limit allows in it, and callers who ask
// for so many times as much at most.
func (d *draft) limited(least time.Duration, times float64) (rate float64) {
	d.world.Span = d.duration(least, longestWild).Round(time.Second)
	rate = d.between(.4, 1) * fewRequests / d.world.Span.Seconds()
	d.crowd(rate * d.between(.7, times))
	return rate
}

// quota draws how a limit of about so many requests a second counts, and how it tells.
func (d *draft) quota(rate float64, dialect apiserver.Dialect) apiserver.Rule {
	per := pick(d, 10*time.Second, time.Minute, time.Minute, 5*time.Minute)
	limit := max(2, int(rate*per.Seconds()))
	var name string
	var model func() ratemodel.Model
	switch d.rng.IntN(4) {
	case 0, 1:
		name, model = "fixed", fixed(limit, per)
	case 2:
		name, model = "rolling", func() ratemodel.Model { return ratemodel.NewSlidingLog(limit, per) }
	default:
		name, model = "bucket", func() ratemodel.Model { return ratemodel.NewBucket(limit, limit, per) }
	}
	d.sayf("%s, %d in %v, %s", name, limit, per, told(dialect))
	return apiserver.Rule{Model: func(string) ratemodel.Model { return model() }, Dialect: dialect}
}

func told(d apiserver.Dialect) string {
	after := map[apiserver.RetryAfter]string{
		apiserver.Seconds: "Retry-After", apiserver.HTTPDate: "Retry-After as a date", apiserver.InBody: "a date in the body",
	}[d.RetryAfter]
	switch {
	case d.Fields == 0 && after == "":
		return "bare"
	case d.Fields == 0:
		return "silent but for " + after
	}
	return fmt.Sprintf("announced (fields %d, form %d) and %q", d.Fields, d.Form, after)
}

// silent draws how a limit shows only when it refuses.
func (d *draft) silent() apiserver.Dialect {
	return apiserver.Dialect{RetryAfter: pick(d, apiserver.NoRetryAfter, apiserver.NoRetryAfter, apiserver.Seconds)}
}

// loud draws how a limit is announced.
func (d *draft) loud() apiserver.Dialect {
	return apiserver.Dialect{
		Fields:     pick(d, apiserver.XRateLimit, apiserver.XRateLimit, apiserver.Draft03|apiserver.Policy, apiserver.Structured),
		Form:       pick(d, apiserver.Epoch, apiserver.Delta),
		RetryAfter: pick(d, apiserver.Seconds, apiserver.NoRetryAfter),
	}
}

// voice draws how a limit tells of itself, in any way.
func (d *draft) voice() apiserver.Dialect {
	if d.rng.IntN(3) == 0 {
		return d.loud()
	}
	return d.silent()
}

// otherwise draws what serves the requests that the trouble of a world spares: without a
// limit, with one that is far, or one that is near.
func (d *draft) otherwise(rate float64) func(*site) http.Handler {
	switch d.rng.IntN(4) {
	case 0:
		d.sayf("much announced")
		return func(s *site) http.Handler { return s.ok(much...) }
	case 1:
		rule := d.quota(rate, d.voice())
		return func(s *site) http.Handler { return s.limit(s.ok(), rule) }
	default:
		return func(s *site) http.Handler { return s.ok() }
	}
}

// anyOf makes each request for one of the paths, as workers of a pool do.
func anyOf(paths []string) func(context.Context, int, int) *http.Request {
	return func(ctx context.Context, _, _ int) *http.Request {
		return request(ctx, pickOf(drawsOf(ctx), paths...))
	}
}
