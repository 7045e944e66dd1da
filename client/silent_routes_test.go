package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A routesAPI limits each of its routes by itself, or all of them together, and says so only when it refuses.
type routesAPI struct {
	limits          []ratemodel.Model // of the routes
	waits           bool              // refusals name a wait, in whole seconds
	served, refused []int             // by route
	mu              sync.Mutex
	rng             *rand.Rand
}

// newRoutesAPI returns an API with a random limit of a second to half a minute, and what it is.
func newRoutesAPI(rng *rand.Rand, together bool) (*routesAPI, string) {
	n, routes := 2+rng.IntN(20), 2+rng.IntN(6)
	w := []time.Duration{time.Second, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}[rng.IntN(6)]
	kind := rng.IntN(3)
	a := &routesAPI{rng: rng, waits: rng.IntN(2) == 0, served: make([]int, routes), refused: make([]int, routes)}
	for r := range routes {
		m := [...]ratemodel.Model{ratemodel.NewFixed(n, w), ratemodel.NewSlidingLog(n, w), ratemodel.NewBucket(n, n, w)}[kind]
		if together && r > 0 {
			m = a.limits[0]
		}
		a.limits = append(a.limits, m)
	}
	return a, fmt.Sprintf("%d routes, %T of %d in %v, names waits: %v", routes, a.limits[0], n, w, a.waits)
}

func (a *routesAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	there, back := 40+a.rng.IntN(40), 40+a.rng.IntN(40)
	a.mu.Unlock()
	if err := pause(req.Context(), time.Duration(there)*time.Millisecond); err != nil {
		return nil, err
	}
	resp, route := respond(req, http.StatusOK), len(req.URL.Path)-2
	a.mu.Lock()
	if m, now := a.limits[route], time.Now(); m.Admit(now) {
		a.served[route]++
	} else {
		a.refused[route]++
		resp.StatusCode = http.StatusTooManyRequests
		if a.waits {
			resp.Header.Set("Retry-After", strconv.Itoa(int((m.Next(now).Sub(now)+time.Second-1)/time.Second)))
		}
	}
	a.mu.Unlock()
	return resp, pause(req.Context(), time.Duration(back)*time.Millisecond)
}

// use sends requests of so many callers for a while, of which each keeps to a route, takes one after the other, or any.
func (a *routesAPI) use(t testing.TB, c *http.Client, callers int, how string, span time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 4))
			for n := i; ctx.Err() == nil; {
				resp, err := c.Do(get(ctx, "/"+strings.Repeat("x", n%len(a.limits)+1)))
				if err == nil {
					resp.Body.Close()
				}
				if ctx.Err() == nil && (err != nil || resp.StatusCode != http.StatusOK) {
					time.Sleep(100 * time.Millisecond)
				}
				switch how {
				case "in turn":
					n++
				case "any":
					n = rng.IntN(len(a.limits))
				}
			}
		})
	}
	all.Wait()
}

// Silent limits of the routes, of each by itself or of all together, are used as by a client that only retries, with fewer refusals,
// and no route waits for the others.
func TestSilentLimitsOfRoutes(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	for _, together := range []bool{false, true} {
		t.Run(fmt.Sprint("together: ", together), func(t *testing.T) {
			t.Parallel()
			chance.Test(t, func(t testing.TB) { silentRoutes(t, together) })
		})
	}
}

func silentRoutes(t testing.TB, together bool) {
	const worlds = 24
	var refused [2]int
	mean := 0.
	for world := range uint64(worlds) {
		var done [2]int
		var least float64 // of what a route may get, is served of one
		var name string
		for i := range done {
			chance.Bubble(t, func(t testing.TB) {
				rng := rand.New(rand.NewPCG(world, 29))
				callers, how := []int{5, 10, 20, 50}[rng.IntN(4)], []string{"own", "in turn", "any"}[rng.IntN(3)]
				api, kind := newRoutesAPI(rng, together)
				c := retrying(api)
				if i > 0 {
					c = &http.Client{Transport: transport(t, api)}
				}
				time.Sleep(time.Duration(rng.Int64N(int64(time.Minute))))
				api.use(t, c, max(callers, len(api.limits)), how, 5*time.Minute)
				least = float64(api.served[0])
				for r, n := range api.served {
					done[i], refused[i], least = done[i]+n, refused[i]+api.refused[r], min(least, float64(n))
				}
				least *= float64(len(api.served)) / float64(done[i])
				name = fmt.Sprintf("%s, %d callers of %s", kind, callers, how)
			})
		}
		ratio := float64(done[1]) / float64(done[0])
		mean += min(ratio, 1) / worlds
		t.Logf("%.2f of %d, the route that gets least %.2f: %s", ratio, done[0], least, name)
		assert.Greater(t, ratio, .4, name)
		assert.Greater(t, least, .3, name)
	}
	t.Logf("mean %.3f, refused %d and %d", mean, refused[1], refused[0])
	assert.Greater(t, mean, .89)
	assert.Less(t, 3*refused[1], refused[0])
}
