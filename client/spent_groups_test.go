package client_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

var (
	groupsAPIs = flag.Int("groupsapis", 10, "how many random APIs TestGroupsShareQuotas tries")
	groupsFrom = flag.Int("groupsfrom", 10, "the first of them")
)

// Where several accounts, routes or ids share quotas, in pairs for instance, of which some are spent for the day, while something
// else in each request is new, the others are served as by a client that only retries, and no more is refused.
func TestGroupsShareQuotas(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	var mu sync.Mutex // guards sum
	sum := 0.
	t.Cleanup(func() {
		mean := sum / float64(*groupsAPIs)
		t.Logf("the worst quota of each API serves %.3f of what it serves to a client that only retries", mean)
		assert.GreaterOrEqual(t, mean, .93)
	})
	for seed := *groupsFrom; seed < *groupsFrom+*groupsAPIs; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			j := newGroupsJob(uint64(seed))
			plain, most := j.run(t, false)
			ours, refused := j.run(t, true)
			t.Logf("%d %+v: served %v and %d refused, and of a client that only retries %v and %d", seed, *j, ours, refused, plain, most)
			least := 1.
			for quota, n := range plain {
				least = min(least, float64(ours[quota])/float64(n))
			}
			mu.Lock()
			defer mu.Unlock()
			sum += least
			assert.LessOrEqual(t, refused, most+150)
		})
	}
}

// A groupsJob asks for several things, as many of which share a quota of a minute and a day. Responses tell which of the two has
// less left, or both.
type groupsJob struct {
	things, share, callers, minute, day, spent int // spent quotas were before the program began
	told, wait, both                           bool
	own                                        bool   // a caller keeps to a thing, and else takes one after the other
	in, fresh                                  string // what tells the things, and what is new in each request
	most                                       time.Duration
	start                                      time.Duration
}

func newGroupsJob(seed uint64) *groupsJob {
	r := rand.New(rand.NewPCG(seed, 51))
	j := &groupsJob{
		things: 2 + r.IntN(5), share: 1 + r.IntN(3), callers: 1 + r.IntN(20), minute: 20 + r.IntN(80), told: r.IntN(3) > 0, wait: r.IntN(4) > 0,
		in: []string{"query", "route", "id", "field"}[r.IntN(4)], fresh: []string{"page", "cursor", "id", "path", "method", ""}[r.IntN(6)],
		most: []time.Duration{10 * time.Second, 30 * time.Second, time.Minute}[r.IntN(3)],
	}
	j.day = j.minute * (3 + r.IntN(20))
	j.start = time.Duration(r.IntN(20*3600)) * time.Second
	if r.IntN(2) == 0 {
		j.spent = r.IntN((j.things + j.share - 1) / j.share)
	}
	j.own, j.both = r.IntN(2) == 0, r.IntN(4) == 0
	return j
}

// request returns the n-th, which asks for a thing.
func (j *groupsJob) request(ctx context.Context, thing, n int) *http.Request {
	url := map[string]string{"route": "https://api.test/" + string(rune('a'+thing)), "id": fmt.Sprintf("https://api.test/channels/%d/items", 4711+thing)}[j.in]
	if url == "" {
		url = "https://api.test/items"
	}
	switch j.fresh {
	case "id":
		url += fmt.Sprintf("/%d", 100_000+n)
	case "path":
		url += "/x" + string([]rune{rune('a' + n%26), rune('a' + n/26%26), rune('a' + n/676%26)})
	}
	url += "?"
	if j.in == "query" {
		url += fmt.Sprintf("account=%d&", thing)
	}
	method := http.MethodGet
	switch j.fresh {
	case "page":
		url += fmt.Sprintf("page=%d", n)
	case "cursor":
		url += fmt.Sprintf("cursor=%x", n*7919)
	case "method":
		method = []string{http.MethodGet, http.MethodPut, http.MethodDelete}[n%3]
	}
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		panic(err)
	}
	if j.in == "field" {
		req.Header.Set("X-Tenant-Id", strconv.Itoa(thing))
	}
	req.Header.Set("Thing", strconv.Itoa(thing)) // for the API alone
	return req
}

// run returns how many requests each quota served in forty minutes, and how many were refused.
func (j *groupsJob) run(t testing.TB, ours bool) (served map[int]int, refused int) {
	chance.Bubble(t, func(t testing.TB) {
		time.Sleep(j.start)
		api := newGroupsAPI(j)
		rt := transportOf(t, api, ours)
		if ours {
			rt = transport(t, api, client.WithMaxWait(j.most))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for i := range j.callers {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				for n := 0; ctx.Err() == nil; n++ {
					thing := i + n
					if j.own {
						thing = i
					}
					if !j.call(ctx, rt, thing%j.things, n*j.callers+i) && ctx.Err() == nil {
						time.Sleep(time.Second)
					}
				}
			})
		}
		all.Wait()
		served, refused = api.served, api.refused
	})
	return served, refused
}

// call reports whether a request was served. It gives up in the end, as most programs do.
func (j *groupsJob) call(ctx context.Context, rt http.RoundTripper, thing, n int) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*j.most)
	defer cancel()
	resp, err := rt.RoundTrip(j.request(ctx, thing, n))
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

type groupsAPI struct {
	*groupsJob

	mu      sync.Mutex
	rng     *rand.Rand
	quotas  []ratemodel.All
	served  map[int]int
	refused int
}

func newGroupsAPI(j *groupsJob) *groupsAPI {
	a := &groupsAPI{groupsJob: j, rng: rand.New(rand.NewPCG(1, 2)), served: map[int]int{}}
	for i := 0; i*j.share < j.things; i++ {
		q := ratemodel.All{ratemodel.NewFixed(j.minute, time.Minute), ratemodel.NewFixed(j.day, 24*time.Hour)}
		for range j.day * min(max(j.spent-i, 0), 1) {
			q[1].Admit(time.Now())
		}
		a.quotas = append(a.quotas, q)
	}
	return a
}

func (a *groupsAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	return overTheWire(req, &a.mu, a.rng, a.answer)
}

func (a *groupsAPI) answer(req *http.Request, now time.Time) *http.Response {
	thing, _ := strconv.Atoi(req.Header.Get("Thing"))
	q := a.quotas[thing/a.share]
	resp := respond(req, http.StatusOK, "Date", now.UTC().Format(http.TimeFormat))
	if q.Admit(now) {
		a.served[thing/a.share]++
	} else {
		a.refused++
		resp.StatusCode = http.StatusTooManyRequests
		if a.wait {
			resp.Header.Set("Retry-After", seconds(q.Next(now).Sub(now)))
		}
	}
	w := q.Windows(nil, now)
	if a.both {
		for i, name := range []string{"-Minute", "-Day"} {
			resp.Header.Set("X-RateLimit-Limit"+name, strconv.Itoa(w[i].Limit))
			resp.Header.Set("X-RateLimit-Remaining"+name, strconv.Itoa(w[i].Remaining))
			resp.Header.Set("X-RateLimit-Reset"+name, seconds(w[i].Reset.Sub(now)))
		}
		return resp
	}
	tightest := w[0]
	if w[1].Remaining <= tightest.Remaining {
		tightest = w[1]
	}
	if a.told {
		resp.Header.Set("X-RateLimit-Limit", strconv.Itoa(tightest.Limit))
	}
	resp.Header.Set("X-RateLimit-Remaining", strconv.Itoa(tightest.Remaining))
	resp.Header.Set("X-RateLimit-Reset", seconds(tightest.Reset.Sub(now)))
	return resp
}
