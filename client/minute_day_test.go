package client_test

import (
	"context"
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

// A dayWorld is an API that limits each of its routes by the minute and the day, or all of them together, and tells both.
// The day ends after 25 minutes of forty, and was spent before.
type dayWorld struct {
	routes, minute, day int
	together, waits     bool   // refusals name a wait
	resets              string // as moments, as delays, or not at all
	callers             int
	how                 string // a caller keeps to a route, takes one after the other, or any
	ahead               time.Duration
}

// newDayWorld draws one.
func newDayWorld(rng *rand.Rand, resets []string, together bool) dayWorld {
	w := dayWorld{
		routes: 2 + rng.IntN(5), minute: []int{10, 20, 30, 60, 100}[rng.IntN(5)], together: together, waits: rng.IntN(4) > 0,
		resets: resets[rng.IntN(len(resets))], callers: []int{6, 8, 20, 40}[rng.IntN(4)], how: []string{"own", "in turn", "any"}[rng.IntN(3)],
		ahead: time.Duration(rng.IntN(3)-1) * 95 * time.Second,
	}
	w.day = w.minute * (5 + rng.IntN(18))
	return w
}

// A dayAPI counts what it serves.
type dayAPI struct {
	dayWorld

	mu              sync.Mutex
	rng             *rand.Rand
	limits          [2][]ratemodel.Model // by the minute and the day, by route
	later           time.Duration        // of the days than of the clock
	served, refused int
}

func newDayAPI(rng *rand.Rand, w dayWorld) *dayAPI {
	ends := time.Now().Add(25 * time.Minute)
	a := &dayAPI{dayWorld: w, rng: rng, later: ends.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(ends)}
	for range w.routes {
		a.limits[0] = append(a.limits[0], ratemodel.NewFixed(w.minute, time.Minute))
		a.limits[1] = append(a.limits[1], ratemodel.NewFixed(w.day, 24*time.Hour))
	}
	return a
}

func (a *dayAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	return overTheWire(req, &a.mu, a.rng, a.answer)
}

func (a *dayAPI) answer(req *http.Request, now time.Time) *http.Response {
	route := len(req.URL.Path) - 2
	if a.together {
		route = 0
	}
	resp, opens := respond(req, http.StatusOK), now
	times := [2]time.Time{now.Add(a.ahead), now.Add(a.later)} // of the clocks by which the limits are counted
	for i, at := range times {
		opens = later(opens, now.Add(a.limits[i][route].Next(at).Sub(at)))
	}
	if opens.After(now) {
		a.refused++
		resp.StatusCode = http.StatusTooManyRequests
		if a.waits {
			resp.Header.Set("Retry-After", seconds(opens.Sub(now)))
		}
	} else {
		a.served++
	}
	resp.Header.Set("Date", now.Add(a.ahead).UTC().Format(http.TimeFormat))
	for i, at := range times {
		if !opens.After(now) {
			a.limits[i][route].Admit(at)
		}
		w, name := a.limits[i][route].Windows(nil, at)[0], []string{"-Minute", "-Day"}[i]
		resp.Header.Set("X-RateLimit-Limit"+name, strconv.Itoa(w.Limit))
		resp.Header.Set("X-RateLimit-Remaining"+name, strconv.Itoa(w.Remaining))
		switch a.resets {
		case "moments":
			resp.Header.Set("X-RateLimit-Reset"+name, strconv.FormatInt(now.Add(a.ahead+w.Reset.Sub(at)+time.Second-1).Unix(), 10))
		case "delays":
			resp.Header.Set("X-RateLimit-Reset"+name, seconds(w.Reset.Sub(at)))
		}
	}
	return resp
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// seconds returns a time in whole seconds, rounded up.
func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// run returns how many requests were served and refused in forty minutes.
func (w dayWorld) run(t testing.TB, seed uint64, ours bool) (served, refused int) {
	chance.Bubble(t, func(t testing.TB) {
		rng := rand.New(rand.NewPCG(seed, 29))
		time.Sleep(time.Duration(rng.Int64N(int64(time.Minute))))
		api := newDayAPI(rng, w)
		rt := transportOf(t, api, ours)
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for i := range w.callers {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 4))
				for n := i; ctx.Err() == nil; {
					resp, err := rt.RoundTrip(get(ctx, "/"+"xxxxxx"[:n%w.routes+1]))
					if err == nil {
						resp.Body.Close()
					}
					if ctx.Err() == nil && (err != nil || resp.StatusCode != http.StatusOK) {
						time.Sleep(100 * time.Millisecond)
					}
					switch w.how {
					case "in turn":
						n++
					case "any":
						n = rng.IntN(w.routes)
					}
				}
			})
		}
		all.Wait()
		served, refused = api.served, api.refused
	})
	return served, refused
}

// Routes that have a limit of a minute and one of a day each are told apart, also where no response tells when these open, and the
// next day is used as by a client that only retries. So are limits of all routes.
func TestAMinuteAndADayOfRoutes(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	for name, c := range map[string]struct {
		resets      []string
		together    bool
		least, mean float64 // of what a client gets that only retries
	}{
		"apart":                 {resets: []string{"moments", "delays"}, least: .75, mean: .96},
		"apart, no resets":      {resets: []string{""}, least: .7, mean: .93},
		"of all":                {resets: []string{"moments", "delays"}, together: true, least: .75, mean: .96},
		"of all, and no resets": {resets: []string{""}, together: true, least: .6, mean: .92},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chance.Test(t, func(t testing.TB) {
				const worlds = 16
				mean, all := 0., [2]int{}
				for world := range uint64(worlds) {
					w := newDayWorld(rand.New(rand.NewPCG(world, 31)), c.resets, c.together)
					plain, refused := w.run(t, world, false)
					ours, few := w.run(t, world, true)
					ratio := float64(ours) / float64(plain)
					mean, all = mean+min(ratio, 1)/worlds, [2]int{all[0] + few, all[1] + refused}
					t.Logf("%.2f of %d served, refused %d of %d: %+v", ratio, plain, few, refused, w)
					assert.Greater(t, ratio, c.least, "%+v", w)
				}
				t.Logf("mean %.3f, refused %d and %d", mean, all[0], all[1])
				assert.Greater(t, mean, c.mean)
				assert.Less(t, 10*all[0], all[1])
			})
		})
	}
}
