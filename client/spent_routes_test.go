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

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

var spentAPIs = flag.Int("spentapis", 24, "how many random APIs TestSpentRoutesHoldNoOther tries")

// Where each route has a quota of its own under the same fields, one that is spent says nothing of the others, whether
// it was spent before the program began or by it.
func TestSpentRoutesHoldNoOther(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	var mu sync.Mutex // guards sum
	sum := 0.0
	t.Cleanup(func() {
		mean := sum / float64(*spentAPIs)
		t.Logf("the worst route of each API is served %.3f of what a client that only retries is", mean)
		assert.GreaterOrEqual(t, mean, .93)
	})
	for seed := range *spentAPIs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			j := newSpentJob(uint64(seed))
			plain, most := j.run(t, false)
			ours, refused := j.run(t, true)
			t.Logf("%d %v: served %v and %d refused, and of a client that only retries %v and %d", seed, j, ours, refused, plain, most)
			least := 1.
			for route, n := range plain {
				least = min(least, float64(ours[route])/float64(n))
			}
			mu.Lock()
			defer mu.Unlock()
			sum += least
			if !j.used && !j.silent { // two windows of each route are told apart in some minutes, and what no reset tells is found by tries
				assert.GreaterOrEqual(t, least, .6)
			}
			assert.LessOrEqual(t, refused, j.callers+30*j.spent)
		})
	}
}

// Where all routes have one quota, it costs a few refusals to see that.
func TestASpentQuotaIsTestedSeldom(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	for seed := range *spentAPIs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			j := newSpentJob(uint64(seed))
			j.shared, j.used, j.lasts = true, false, 3*time.Hour
			plain, _ := j.run(t, false)
			ours, refused := j.run(t, true)
			t.Logf("%d %v: served %v and %d refused, and of a client that only retries %v", seed, j, ours, refused, plain)
			least := .9
			if j.silent && !j.wait { // that an hour opens is found out by tries
				least = .8
			}
			assert.GreaterOrEqual(t, total(ours), least*total(plain))
			assert.LessOrEqual(t, refused, 40)
		})
	}
}

func total(served map[string]int) (all float64) {
	for _, n := range served {
		all += float64(n)
	}
	return all
}

// A spentJob asks an API for several routes, of which some are spent.
type spentJob struct {
	routes, spent, callers, limit int
	before                        time.Duration // in which only the others are asked for
	ids, policy, minute, wait     bool          // of the API's responses
	silent                        bool          // they tell no reset
	used                          bool          // the program spends them itself
	shared                        bool          // the routes have one quota
	start, trip, lasts            time.Duration // start is when the program begins within an hour
}

func newSpentJob(seed uint64) *spentJob {
	r := rand.New(rand.NewPCG(seed, 11))
	j := &spentJob{routes: 2 + r.IntN(3), limit: []int{60, 300, 3000}[r.IntN(3)], trip: time.Duration(10+r.IntN(150)) * time.Millisecond, lasts: 30 * time.Minute}
	j.spent = 1 + r.IntN(j.routes-1)
	j.callers = j.routes * (1 + r.IntN(4))
	if r.IntN(3) == 0 {
		j.before = time.Duration(10+r.IntN(300)) * time.Second
	}
	j.ids, j.policy, j.minute, j.wait = r.IntN(4) == 0, r.IntN(3) == 0, r.IntN(4) == 0, r.IntN(2) == 0
	j.used = r.IntN(4) == 0
	j.silent = r.IntN(2) == 0 && !j.policy && (j.minute || j.wait)
	if j.start = time.Duration(r.IntN(1500)) * time.Second; r.IntN(3) == 0 {
		j.start += 40 * time.Minute // the quotas are full again in the middle
	}
	return j
}

func (j *spentJob) String() string { return fmt.Sprintf("%+v", *j) }

// name returns the path of a route.
func (j *spentJob) name(route int) string {
	if j.ids {
		return fmt.Sprintf("/channels/%d/messages", 4711+route)
	}
	return "/" + string(rune('a'+route))
}

func (j *spentJob) run(t testing.TB, ours bool) (served map[string]int, refused int) {
	chance.Bubble(t, func(t testing.TB) {
		time.Sleep(j.start)
		api := &spentAPI{spentJob: j, quotas: map[string]ratemodel.All{}, served: map[string]int{}}
		for route := range j.routes {
			q := ratemodel.All{ratemodel.NewFixed(j.limit, time.Hour)}
			if j.minute {
				q = append(q, ratemodel.NewFixed(max(20, j.limit/20), time.Minute))
			}
			if j.shared && route > 0 {
				q = api.quotas[j.name(0)]
			}
			if route < j.spent && !j.used {
				for range j.limit {
					q[0].Admit(time.Now())
				}
			}
			api.quotas[j.name(route)] = q
		}
		rt := transportOf(t, api, ours)
		ctx, cancel := context.WithTimeout(t.Context(), j.lasts)
		defer cancel()
		var jobs sync.WaitGroup
		jobs.Go(func() {
			time.Sleep(j.before)
			ask(ctx, t, rt, j.callers, func(caller, n int) string { return "https://api.test" + j.name(caller%j.spent) })
		})
		jobs.Go(func() {
			if j.used {
				time.Sleep(j.before)
			}
			ask(ctx, t, rt, j.callers, func(caller, n int) string {
				return "https://api.test" + j.name(j.spent+caller%(j.routes-j.spent))
			})
		})
		jobs.Wait()
		served, refused = api.served, api.refused
	})
	return served, refused
}

// A spentAPI counts each path apart.
type spentAPI struct {
	*spentJob

	mu      sync.Mutex
	quotas  map[string]ratemodel.All
	served  map[string]int
	refused int
}

func (r *spentAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(r.trip / 2)
	path := req.URL.Path
	r.mu.Lock()
	q, now := r.quotas[path], time.Now()
	status := http.StatusTooManyRequests
	if q.Admit(now) {
		r.served[path]++
		status = http.StatusOK
	} else {
		r.refused++
	}
	h := http.Header{"Date": {now.UTC().Format(http.TimeFormat)}}
	for i, w := range q.Windows(nil, now) {
		name := []string{"hour", "minute"}[i]
		if !r.shared && !r.ids {
			name = path[1:] + "-" + name
		}
		left := int(w.Reset.Sub(now).Seconds()) + 1
		switch {
		case r.policy:
			h.Add("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", name, w.Limit, w.Length/time.Second))
			h.Add("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", name, w.Remaining, left))
		case r.minute:
			name = []string{"hour", "minute"}[i]
			h.Set("X-RateLimit-Limit-"+name, strconv.Itoa(w.Limit))
			h.Set("X-RateLimit-Remaining-"+name, strconv.Itoa(w.Remaining))
			if !r.silent {
				h.Set("X-RateLimit-Reset-"+name, strconv.Itoa(left))
			}
		default:
			reset := int(w.Reset.Unix())
			if r.silent {
				reset = -1
			}
			say(h, w.Limit, w.Remaining, reset)
		}
		if status != http.StatusOK && r.wait && w.Remaining == 0 {
			h.Set("Retry-After", strconv.Itoa(left))
		}
	}
	r.mu.Unlock()
	time.Sleep(r.trip / 2)
	return &http.Response{StatusCode: status, Header: h, Body: http.NoBody, Request: req}, nil
}
