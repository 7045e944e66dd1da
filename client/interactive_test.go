package client_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// interactive runs a program of which many callers in the background ask for more than there is, with calls that
// wait for as long as patience allows (0 is for ever), and a user makes a call each second, on average, who waits for three. It
// returns how many calls of both were answered.
func interactive(hc *http.Client, patience time.Duration) (background, user int64) {
	var all sync.WaitGroup
	var counts [2]atomic.Int64
	stop := time.Now().Add(3 * time.Minute)
	rng := rand.New(rand.NewPCG(1, 2))
	call := func(count *atomic.Int64, patience time.Duration) {
		ctx, cancel := context.WithCancel(context.Background())
		if patience > 0 {
			ctx, cancel = context.WithTimeout(ctx, patience)
		}
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/items", nil)
		resp, err := hc.Do(req)
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			return
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			count.Add(1)
		}
	}
	for range 100 {
		all.Go(func() {
			for time.Now().Before(stop) {
				call(&counts[0], patience)
			}
		})
	}
	for time.Now().Before(stop) {
		all.Go(func() { call(&counts[1], 3*time.Second) })
		time.Sleep(time.Duration(rng.Int64N(int64(2 * time.Second))))
	}
	all.Wait()
	return counts[0].Load(), counts[1].Load()
}

// A call that cannot wait for its turn is not lost beside many that can: by chance a plain client would serve some
// of those, too.
func TestWhoCannotWaitIsServedBesideThoseWhoCan(t *testing.T) {
	figures(t)
	for _, c := range []struct {
		name      string
		announces bool
		patience  time.Duration // of the others
		least     int64         // of about 180 that the user makes
	}{
		{"announced", true, 0, 90},
		{"silent", false, 0, 90},
		{"announced, all wait for 3 s", true, 3 * time.Second, 30},
		{"silent, all wait for 3 s", false, 3 * time.Second, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			chance.Test(t, func(t testing.TB) {
				run := func(wrap func(t testing.TB, api *jobAPI) *http.Client) (background, user int64) {
					chance.Bubble(t, func(t testing.TB) {
						api := &jobAPI{limit: 10, window: time.Second, announces: c.announces, start: time.Now()}
						background, user = interactive(wrap(t, api), c.patience)
					})
					return background, user
				}
				plain, plainUser := run(func(_ testing.TB, api *jobAPI) *http.Client { return retrying(api) })
				ours, user := run(func(t testing.TB, api *jobAPI) *http.Client { return &http.Client{Transport: transport(t, api)} })
				t.Logf("the user %d, plain %d; in the background %d, plain %d", user, plainUser, ours, plain)
				assert.GreaterOrEqual(t, user, c.least)
				if c.patience == 0 { // otherwise the user is one of equals, and new calls of a plain client go first
					assert.GreaterOrEqual(t, user, plainUser)
				}
				assert.GreaterOrEqual(t, ours+user, (plain+plainUser)*9/10)
			})
		})
	}
}
