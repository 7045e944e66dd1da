package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// An API that refuses everything for long when the program begins, without a word of when to come back, tells nothing of a
// pace: once it serves, all are served, however many routes were refused.
func TestAClosedStartTellsNoPace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 3))
			routes, closed := 1+r.IntN(4), time.Duration(5+r.IntN(30))*time.Minute
			callers, trip := routes*(1+r.IntN(2)), time.Duration(20+r.IntN(130))*time.Millisecond
			job := func(ours bool) (served int64) {
				chance.Bubble(t, func(t testing.TB) {
					var n atomic.Int64
					opens := time.Now().Add(closed)
					rt := transportOf(t, roundTripper(func(req *http.Request) (*http.Response, error) {
						time.Sleep(trip)
						status := http.StatusTooManyRequests
						if time.Now().After(opens) {
							status = http.StatusOK
							n.Add(1)
							time.Sleep(time.Second)
						}
						return respond(req, status), nil
					}), ours)
					ctx, cancel := context.WithTimeout(t.Context(), closed+20*time.Minute)
					defer cancel()
					ask(ctx, t, rt, callers, func(caller, _ int) string { return fmt.Sprint("https://api.test/", string(rune('a'+caller%routes))) })
					served = n.Load()
				})
				return served
			}
			ours, plain := job(true), job(false)
			t.Logf("%d routes, %d callers, closed for %v: served %d, and of a client that only retries %d", routes, callers, closed, ours, plain)
			assert.GreaterOrEqual(t, float64(ours), .7*float64(plain), "it was tried minutes apart")
		})
	}
}
