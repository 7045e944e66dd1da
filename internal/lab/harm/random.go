package harm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A drawn world is one that a seed makes up: an honest limiter, and up to two troubles.
type drawn struct {
	World
	kinds []string      // the limiter's and the troubles'
	per   time.Duration // the limiter's window
}

func (d drawn) String() string { return strings.Join(d.kinds, " + ") + ": " + d.Name }

// A draft is a world in the making.
type draft struct {
	rng   *rand.Rand
	words []string
	kinds []string
	rule  apiserver.Rule // the honest limiter
	per   time.Duration  // its window
	limit int
	world World
	// wrap puts the troubles around what the limiter lets through, before around the
	// limiter.
	wrap, before []func(*site, http.Handler) http.Handler
	key          func(*http.Request) string
	keys         int // how many the limiter counts apart
	jump         time.Duration
	jumpAt       time.Duration
}

// between draws evenly from least to most.
func (d *draft) between(least, most float64) float64 { return least + (most-least)*d.rng.Float64() }

func (d *draft) duration(least, most time.Duration) time.Duration {
	return between(d.rng, least, most).Round(time.Millisecond)
}

func (d *draft) sayf(format string, args ...any) {
	d.words = append(d.words, fmt.Sprintf(format, args...))
}

// pick returns one of all.
func pick[T any](d *draft, all ...T) T { return pickOf(d.rng, all...) }

func pickOf[T any](rng *rand.Rand, all ...T) T { return all[rng.IntN(len(all))] }

// random returns the world of a seed.
func random(seed uint64) drawn {
	d := &draft{rng: rand.New(rand.NewPCG(seed, 21)), key: apiserver.Credential, keys: 1}
	d.load()
	d.limiter()
	all := troubles()
	for _, i := range d.rng.Perm(len(all))[:pick(d, 0, 1, 1, 1, 2)] {
		d.kinds = append(d.kinds, all[i].kind)
		all[i].add(d)
	}
	d.span()
	w := d.world
	w.ID = fmt.Sprint("seed ", seed)
	w.Name = fmt.Sprintf("%s; %s; %d callers, think %v, trips %v to %v, %v", w.ID, strings.Join(d.words, "; "), w.Callers, w.Think, w.Least, w.Most, w.Span)
	w.API = d.api
	return drawn{w, d.kinds, d.per}
}

// load draws who calls, and over what network.
func (d *draft) load() {
	w := &d.world
	w.Callers = pick(d, 1, 2, 5, 10, 20)
	w.Think = pick(d, 0, 0, d.duration(0, 500*time.Millisecond))
	w.Least = d.duration(2*time.Millisecond, 80*time.Millisecond)
	w.Most = w.Least + d.duration(0, pick(d, 20*time.Millisecond, 200*time.Millisecond))
	w.Request = get("/items")
}

// limiter draws the honest limiter: so that the callers ask for a third of what it allows
// to ten times as much.
func (d *draft) limiter() {
	d.per = pick(d, time.Second, 2*time.Second, 5*time.Second, 10*time.Second, 30*time.Second, time.Minute, 5*time.Minute, time.Hour)
	wanted := float64(d.world.Callers) / (d.world.Least + d.world.Most + d.world.Think).Seconds()
	d.limit = max(1, int(min(wanted*min(d.per, 5*time.Minute).Seconds()/d.between(.3, 10), 5000)))
	rule := ratemodel.ResetRule(d.rng.IntN(3))
	limit, per := d.limit, d.per
	var name string
	var model func() ratemodel.Model
	switch d.rng.IntN(6) {
	case 0, 1:
		name, model = "fixed", fixed(limit, per)
	case 2:
		name = "from the first request"
		model = func() ratemodel.Model {
			m := ratemodel.NewFixed(limit, per)
			m.FromFirst = true
			return m
		}
	case 3:
		name = "rolling"
		model = func() ratemodel.Model {
			m := ratemodel.NewSlidingLog(limit, per)
			m.Reset = rule
			return m
		}
	case 4:
		name, model = "weighed", func() ratemodel.Model { return ratemodel.NewSlidingCounter(limit, per) }
	default:
		name = "bucket"
		model = func() ratemodel.Model {
			b := ratemodel.NewBucket(limit, limit, per)
			b.Reset = rule
			return b
		}
	}
	dialect := apiserver.Dialect{
		Fields:     pick(d, apiserver.XRateLimit, apiserver.XRateLimit, apiserver.Draft03|apiserver.Policy, apiserver.Structured),
		Form:       pick(d, apiserver.Epoch, apiserver.Delta),
		Rounding:   pick(d, apiserver.Ceil, apiserver.Ceil, apiserver.Floor, apiserver.Exact),
		RetryAfter: pick(d, apiserver.Seconds, apiserver.Seconds, apiserver.NoRetryAfter),
	}
	silent := d.rng.IntN(5) == 0
	if silent {
		dialect.Fields, dialect.RetryAfter = 0, apiserver.Seconds
	}
	d.rule = apiserver.Rule{Model: func(string) ratemodel.Model { return model() }, Dialect: dialect}
	d.sayf("%s, %d in %v, reset rule %d, %+v", name, limit, per, rule, dialect)
	switch {
	case silent:
		name += ", silent"
	case per <= 5*time.Second:
		name += ", short"
	}
	d.kinds = []string{name}
}

// A trouble is what makes an API not honest.
type trouble struct {
	kind string
	add  func(*draft)
}

func troubles() []trouble {
	sheds := func(answers ...answer) func(*draft) {
		return func(d *draft) {
			a, share := pick(d, answers...), d.between(.002, .1)
			d.sayf("%.1f %% a %d %v", 100*share, a.status, a.fields)
			d.before = append(d.before, func(s *site, next http.Handler) http.Handler { return s.shed(next, always(share), a) })
		}
	}
	return []trouble{
		{"sheds 429", sheds(refusal(), refusal("Retry-After", "1"), refusal("Retry-After", "3"))},
		{"sheds 5xx", sheds(
			answer{503, "{}", []string{"Retry-After", "1"}}, answer{503, "{}", nil}, answer{529, "{}", nil},
			answer{500, "{}", []string{"Retry-After", "2"}}, answer{502, "{}", nil},
		)},
		{"sheds in bursts", func(d *draft) {
			every, lasting := d.duration(20*time.Second, time.Minute), d.duration(time.Second, 8*time.Second)
			a := pick(d, refusal(), refusal("Retry-After", "1"), answer{503, "{}", nil})
			d.sayf("half a %d for %v of each %v", a.status, lasting, every)
			d.before = append(d.before, func(s *site, next http.Handler) http.Handler {
				return s.shed(next, func(since time.Duration) float64 {
					if since%every < lasting {
						return .5
					}
					return 0
				}, a)
			})
		}},
		{"bad words", func(d *draft) {
			a := pick(d,
				answer{400, `{"message":"amount exceeds the limit of your account"}`, nil},
				answer{403, `{"message":"storage quota exceeded"}`, nil},
				answer{422, `{"message":"limit must be at most 100"}`, nil},
			)
			share := d.between(.005, .03)
			d.sayf("%.1f %% a %d: %s", 100*share, a.status, a.body)
			d.wrap = append(d.wrap, func(s *site, next http.Handler) http.Handler { return s.shed(next, always(share), a) })
		}},
		{"slow node", func(d *draft) {
			least := d.duration(500*time.Millisecond, 5*time.Second)
			d.sayf("one node of three takes %v more", least)
			d.wrap = append(d.wrap, func(_ *site, next http.Handler) http.Handler { return nodes(next, next, slow(next, least, 2*least)) })
		}},
		{"routes", func(d *draft) {
			d.keys = pick(d, 2, 3, 5)
			d.sayf("%d routes counted apart", d.keys)
			d.key = func(r *http.Request) string { return r.URL.Path }
			names := []string{"/search", "/items", "/users", "/reports", "/orders"}[:d.keys]
			d.world.Request = func(ctx context.Context, caller, n int) *http.Request {
				return request(ctx, names[(caller+n)%len(names)])
			}
		}},
		{"ids", func(d *draft) {
			d.keys = pick(d, 3, 8)
			d.sayf("%d ids in the path counted apart", d.keys)
			d.key = func(r *http.Request) string { return r.URL.Path }
			d.world.Request = func(ctx context.Context, caller, n int) *http.Request {
				return request(ctx, fmt.Sprintf("/channels/%d/messages", 81740000000000000+(caller+n)%d.keys))
			}
		}},
		{"costs", func(d *draft) {
			least, most := 1+d.rng.IntN(100), 200+d.rng.IntN(2000)
			wanted := float64(d.world.Callers) / (d.world.Least + d.world.Most + d.world.Think).Seconds() * float64(least+most) / 2
			rate := max(wanted/d.between(.3, 4), 10)
			capacity := max(rate*d.between(5, 60), float64(2*most))
			d.sayf("calls of %d to %d tokens, %.0f and %.0f a second", least, most, capacity, rate)
			d.world.Request = sized(least, most)
			d.wrap = append(d.wrap, func(s *site, next http.Handler) http.Handler {
				return s.tokens(&meter{capacity: capacity, left: capacity, rate: rate}, next)
			})
		}},
		{"clock jumps", func(d *draft) {
			d.jump = time.Duration(d.rng.IntN(240)-120) * time.Second
			d.sayf("the server's clock jumps by %v", d.jump)
		}},
	}
}

// span draws how long it lasts: some windows, but not more than so many requests.
func (d *draft) span() {
	w := &d.world
	rate := float64(w.Callers) / (w.Least + w.Most + w.Think).Seconds()
	w.Span = min(max(time.Duration(d.between(3, 7)*float64(d.per)), 2*time.Minute), max(seconds(8000/rate), time.Minute), 20*time.Minute).Round(time.Second)
	d.jumpAt = w.Span / 2
}

// api puts the API together.
func (d *draft) api(s *site) http.Handler {
	h := s.ok()
	for _, wrap := range slices.Backward(d.wrap) {
		h = wrap(s, h)
	}
	server := s.limitFor(d.key, h, d.rule)
	if d.jump != 0 {
		time.AfterFunc(d.jumpAt, func() { server.SetClockOffset(d.jump) })
	}
	h = server
	for _, before := range slices.Backward(d.before) {
		h = before(s, h)
	}
	return h
}
