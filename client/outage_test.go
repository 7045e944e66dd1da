package client_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
)

var ordeals = flag.Int("outages", 30, "how many random ordeals the outage test makes up")

// A toll is what came of an ordeal. Requests that must not be executed twice are counted
// apart: go-retryablehttp repeats them nevertheless.
type toll struct {
	requests, errors, attempts int
	unsafe, unsafeErrors       int
	slowest                    time.Duration // error
}

func (a *toll) add(b toll) {
	a.requests += b.requests
	a.errors += b.errors
	a.attempts += b.attempts
	a.unsafe += b.unsafe
	a.unsafeErrors += b.unsafeErrors
	a.slowest = max(a.slowest, b.slowest)
}

func (a toll) good() int { return a.requests - a.errors }

// endure lets the callers ask through a client that plain makes, or forbear's.
func (o ordeal) endure(t testing.TB, plain bool) (sum toll) {
	chance.Bubble(t, func(t testing.TB) {
		server := &frailServer{outages: o.outages, start: time.Now(), random: rand.New(rand.NewPCG(o.seed, 2))}
		var do func(*http.Request) (*http.Response, error)
		if plain {
			hc := retrying(server)
			hc.Timeout = o.timeout
			do = hc.Do
		} else {
			do = (&http.Client{Transport: transport(t, server), Timeout: o.timeout}).Do
		}
		var mu sync.Mutex // guards sum
		ask := func(req *http.Request) {
			began := time.Now()
			resp, err := do(req)
			if err == nil {
				resp.Body.Close()
			}
			bad := err != nil || resp.StatusCode >= 400
			mu.Lock()
			defer mu.Unlock()
			switch unsafe := req.URL.Path == "/unsafe"; {
			case unsafe && bad:
				sum.unsafeErrors++
				fallthrough
			case unsafe:
				sum.unsafe++
			case bad:
				sum.errors++
				sum.slowest = max(sum.slowest, time.Since(began))
				fallthrough
			default:
				sum.requests++
			}
		}
		var all sync.WaitGroup
		for i := range o.callers {
			all.Go(func() {
				r := rand.New(rand.NewPCG(o.seed, uint64(10+i)))
				for {
					time.Sleep(time.Duration((.5 + r.Float64()) * float64(o.pause)))
					if time.Since(server.start) > o.run {
						return
					}
					req := o.request(t, r)
					if o.open {
						all.Go(func() { ask(req) })
					} else {
						ask(req)
					}
				}
			})
		}
		all.Wait()
		sum.attempts = server.attempts
	})
	return sum
}

// request makes a GET, a POST with an idempotency key, or one without. The last fails at
// once where go-retryablehttp repeats it; callers that wait for it would meet more of an outage.
func (o ordeal) request(t testing.TB, r *rand.Rand) *http.Request {
	switch part := r.Float64(); {
	case part < o.broken:
		return get(t.Context(), "/broken")
	case part < .7:
		return get(t.Context(), "/items")
	}
	req := post(t.Context(), "text")
	if o.open && r.IntN(3) == 0 {
		req.URL.Path = "/unsafe"
	} else {
		req.Header.Set("Idempotency-Key", "k")
	}
	return req
}

// In outages of any kind, no program has errors that it would not have had with
// go-retryablehttp, gets less done, or asks the server more often.
func TestOutages(t *testing.T) {
	var all, peers toll
	n := uint64(*ordeals)
	if chance.Raced {
		n = min(n, 5) // the detector looks for faults; the figures take too long
	}
	for seed := range n {
		o := newOrdeal(seed)
		t.Run(o.name, func(t *testing.T) {
			var forbear, plain toll
			chance.Test(t, func(t testing.TB) {
				forbear, plain = o.endure(t, false), o.endure(t, true)
				t.Logf("%+v", o)
				t.Logf("forbear %+v, go-retryablehttp %+v", forbear, plain)
				luck := 0.
				if !o.total() {
					luck = 3 * math.Sqrt(float64(forbear.errors+plain.errors))
				}
				assert.LessOrEqual(t, float64(forbear.errors), float64(plain.errors)+luck, "errors")
				// Each caller may go on a little later, or one sooner.
				assert.GreaterOrEqual(t, float64(forbear.good())+5*math.Sqrt(float64(o.callers)), .95*float64(plain.good()), "goodput")
				assert.LessOrEqual(t, float64(forbear.attempts)/float64(forbear.requests),
					1.1*float64(plain.attempts)/float64(plain.requests), "attempts a request")
			})
			all.add(forbear)
			peers.add(plain)
		})
	}
	t.Logf("all: forbear %+v, go-retryablehttp %+v", all, peers)
	require.LessOrEqual(t, float64(all.errors), float64(peers.errors)+3*math.Sqrt(float64(all.errors)), "errors")
}
