package harm

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A lie is a field of which nothing holds: the server serves everything.
type lie struct {
	field string
	value func(*rand.Rand, int64) string // of the n-th response
	words string
	share float64 // of the responses that carry it
}

// lyingMost is how many requests a second are sent at most.
const lyingMost = 60

// lying returns the world of a seed: an API without a limit, whose responses carry one to
// four fields of any rate-limit dialect with values that have nothing to do with it.
func lying(seed uint64) World {
	d := &draft{rng: rand.New(rand.NewPCG(seed, 22))}
	d.load()
	w := d.world
	lies := make([]lie, 1+d.rng.IntN(4))
	for i := range lies {
		lies[i] = d.lie()
	}
	for _, l := range lies {
		d.sayf("%s: %s in %.0f %%", l.field, l.words, 100*l.share)
	}
	w.Span = 10 * time.Minute
	// Callers that send much more in a second than others believe and doubt the same.
	w.Think = max(w.Think, time.Duration(w.Callers)*time.Second/lyingMost-w.Least-w.Most)
	w.ID = fmt.Sprint("lies ", seed)
	w.Name = fmt.Sprintf("%s; %s; %d callers, think %v, trips %v to %v", w.ID, strings.Join(d.words, "; "), w.Callers, w.Think, w.Least, w.Most)
	w.API = func(s *site) http.Handler {
		var n atomic.Int64
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			i := n.Add(1)
			var fields []string
			for _, l := range lies {
				if draws(r).Float64() < l.share {
					fields = append(fields, l.field, l.value(draws(r), i))
				}
			}
			s.ok(fields...).ServeHTTP(rw, r)
		})
	}
	return w
}

// lie draws a field.
func (d *draft) lie() lie {
	prefix := pick(d, "X-RateLimit-", "X-RateLimit-", "X-Rate-Limit-", "RateLimit-", "X-App-RateLimit-",
		"X-RateLimit-Requests-", "X-RateLimit-Tokens-", "Anthropic-RateLimit-Requests-")
	switch d.rng.IntN(12) {
	case 0, 1:
		return d.number(prefix + "Limit")
	case 2, 3, 4, 5:
		return d.number(prefix + "Remaining")
	case 6, 7:
		return d.moment(prefix + "Reset")
	case 8:
		return d.number(prefix + "Used")
	case 9:
		return d.moment(pick(d, "Retry-After", "Retry-After", "X-Retry-After", "X-RateLimit-Reset-After", "X-RateLimit-Interval"))
	case 10:
		r, t := d.number(""), d.moment("")
		return lie{"RateLimit", func(rng *rand.Rand, n int64) string {
			return fmt.Sprintf(`"default";r=%s;t=%s`, r.value(rng, n), t.value(rng, n))
		}, r.words + ", " + t.words, pick(d, 1, .3, .01)}
	default:
		r := d.number("")
		per := pick(d, "1", "60", "3600")
		return lie{pick(d, "X-RateLimit-Limit", "X-App-Rate-Limit-Count", "Sforce-Limit-Info", "X-Rate-Limit"), func(rng *rand.Rand, n int64) string {
			return r.value(rng, n) + ":" + per
		}, r.words + ":" + per, pick(d, 1, .3, .01)}
	}
}

// number draws values of a count.
func (d *draft) number(field string) lie {
	l := lie{field: field, share: pick(d, 1, 1, .5, .05, .01)}
	a := pick(d, 0, 0, 1, 2, 3, 10, 60, 100, 5000, -1, 1000000)
	switch d.rng.IntN(5) {
	case 0, 1:
		l.value, l.words = func(*rand.Rand, int64) string { return strconv.Itoa(a) }, strconv.Itoa(a)
	case 2:
		most := pick(d, 2, 10, 100, 5000)
		l.value, l.words = func(rng *rand.Rand, _ int64) string { return strconv.Itoa(rng.IntN(most)) }, fmt.Sprint("below ", most)
	case 3:
		most := pick[int64](d, 3, 10, 100)
		l.value, l.words = func(_ *rand.Rand, n int64) string { return strconv.FormatInt(most-n%most, 10) }, fmt.Sprintf("around from %d", most)
	default:
		b := pick(d, 0, 5, 1000)
		l.value, l.words = func(rng *rand.Rand, _ int64) string { return strconv.Itoa(pickOf(rng, a, b)) }, fmt.Sprint(a, " or ", b)
	}
	return l
}

// moment draws values of a reset or a wait.
func (d *draft) moment(field string) lie {
	l := lie{field: field, share: pick(d, 1, 1, .5, .05, .01)}
	a := pick(d, 0, 1, 2, 10, 60, 600, 3600, 86400)
	switch d.rng.IntN(6) {
	case 0, 1:
		l.value, l.words = func(*rand.Rand, int64) string { return strconv.Itoa(a) }, fmt.Sprintf("%d s", a)
	case 2:
		l.value, l.words = func(*rand.Rand, int64) string { return strconv.FormatInt(time.Now().Unix()+int64(a), 10) }, fmt.Sprintf("in %d s", a)
	case 3:
		l.value, l.words = func(*rand.Rand, int64) string { return strconv.FormatInt(time.Now().Unix()-int64(a), 10) }, fmt.Sprintf("%d s ago", a)
	case 4:
		l.value, l.words = func(rng *rand.Rand, _ int64) string { return strconv.Itoa(rng.IntN(a + 1)) }, fmt.Sprintf("below %d s", a)
	default:
		l.value, l.words = func(*rand.Rand, int64) string {
			now := time.Now().Unix()
			return strconv.FormatInt(now-now%int64(a+1)+int64(a+1), 10)
		}, fmt.Sprintf("the end of each %d s", a+1)
	}
	return l
}
