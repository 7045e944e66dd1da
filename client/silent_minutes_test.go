package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// Where several routes have a silent limit each, they are closed and open at about the same time, and one request after a long
// refusal may be served alone. That is no pace of one request a minute, after hundreds were served in each before.
func TestSilentMinutesOfRoutes(t *testing.T) {
	t.Parallel()
	figures(t)
	const draws = 18
	var mu sync.Mutex // guards the sums
	all, worst := 0, 0
	t.Cleanup(func() {
		t.Logf("served %d, %d at least in each part", all/draws, worst/draws)
		assert.GreaterOrEqual(t, all/draws, 5600)
		assert.GreaterOrEqual(t, worst/draws, 600)
	})
	for seed := range uint64(draws) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			chance.Bubble(t, func(t testing.TB) {
				const limit, routes, lasts, part = 121, 3, 18 * time.Minute, 3 * time.Minute
				api := &rollingRoutes{rng: rand.New(rand.NewPCG(seed, 5)), limit: limit, window: time.Minute, sent: map[string][]time.Time{}}
				rt := transport(t, roundTripper(api.answer))
				ctx, cancel := context.WithTimeout(t.Context(), lasts)
				defer cancel()
				least, last := routes*limit*3, 0
				go func() {
					for range lasts / part {
						time.Sleep(part - time.Millisecond)
						api.mu.Lock()
						least, last = min(least, api.served-last), api.served
						api.mu.Unlock()
					}
				}()
				ask(ctx, t, rt, 24, func(caller, _ int) string { return fmt.Sprintf("https://api.test/r%c", 'a'+caller%routes) })
				t.Logf("served %d, %d at least in each part, %d refused", api.served, least, api.refused)
				mu.Lock()
				defer mu.Unlock()
				all, worst = all+api.served, worst+least
			})
		})
	}
}

// A rollingRoutes allows each path a number of requests in a window that rolls, and tells nothing of it.
type rollingRoutes struct {
	limit  int
	window time.Duration

	mu              sync.Mutex
	rng             *rand.Rand
	sent            map[string][]time.Time
	served, refused int
}

func (r *rollingRoutes) answer(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	trip := time.Duration(60+r.rng.IntN(40)) * time.Millisecond
	r.mu.Unlock()
	time.Sleep(trip)
	r.mu.Lock()
	defer r.mu.Unlock()
	now, path := time.Now(), req.URL.Path
	for s := r.sent[path]; len(s) > 0 && now.Sub(s[0]) >= r.window; s = r.sent[path] {
		r.sent[path] = s[1:]
	}
	if len(r.sent[path]) >= r.limit {
		r.refused++
		return respond(req, http.StatusTooManyRequests), nil
	}
	r.sent[path] = append(r.sent[path], now)
	r.served++
	return respond(req, http.StatusOK), nil
}
