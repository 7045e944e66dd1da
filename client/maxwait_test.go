package client_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/client"
)

// All waits of a call together are no longer than MaxWait: those in the queue and those between attempts.
func TestMaxWaitIsOfTheWholeCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		window time.Duration
		limit  int
		named  string // the wait that a refusal names; empty is none
		opts   []client.Option
		most   time.Duration
	}{
		"by default":                           {time.Hour, 20, "", nil, 20 * time.Minute},
		"own":                                  {time.Hour, 20, "", []client.Option{client.WithMaxWait(10 * time.Minute)}, 10 * time.Minute},
		"own, and the server names other ones": {time.Hour, 20, "360", []client.Option{client.WithMaxWait(10 * time.Minute)}, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var window time.Time
				used := 0
				s := &silentAPI{rng: rand.New(rand.NewPCG(1, 5)), status: http.StatusTooManyRequests, named: c.named}
				s.admits = func(now time.Time) bool {
					if w := now.Truncate(c.window); w != window {
						window, used = w, 0
					}
					used++
					return used <= c.limit
				}
				h := &http.Client{Transport: transport(t, s, c.opts...)}
				var longest time.Duration
				var mu sync.Mutex
				var callers sync.WaitGroup
				began := time.Now()
				for i := range 5 {
					callers.Go(func() {
						time.Sleep(time.Duration(i) * 7 * time.Minute)
						for time.Since(began) < 5*time.Hour {
							call := time.Now()
							if resp, err := h.Get(fmt.Sprintf("https://api.test/items?caller=%d", i)); err == nil {
								resp.Body.Close()
							}
							mu.Lock()
							longest = max(longest, time.Since(call))
							mu.Unlock()
							time.Sleep(time.Minute)
						}
					})
				}
				callers.Wait()
				t.Logf("the longest call took %v", longest)
				assert.LessOrEqual(t, longest, c.most+time.Minute)
				assert.Greater(t, longest, c.most/2)
			})
		})
	}
}
