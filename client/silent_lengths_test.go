package client_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A windowAPI refuses with a bare status what exceeds a window. It may tell its limit alone.
type windowAPI struct {
	silentAPI
	told    string
	refused int
}

func (a *windowAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.silentAPI.RoundTrip(req)
	if err == nil {
		resp.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		if a.told != "" {
			resp.Header.Set("X-RateLimit-Limit", a.told)
		}
	}
	return resp, err
}

// newWindowAPI returns an API with a random window of a usual length, and what it is.
func newWindowAPI(rng *rand.Rand) (*windowAPI, string) {
	lengths := [...]time.Duration{5 * time.Second, 10 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute}
	n, w := 10+rng.IntN(60), lengths[rng.IntN(len(lengths))]
	m := [...]ratemodel.Model{ratemodel.NewFixed(n, w), ratemodel.NewSlidingLog(n, w)}[rng.IntN(2)]
	a := &windowAPI{}
	if rng.IntN(2) == 0 {
		a.told = strconv.Itoa(n)
	}
	a.silentAPI = silentAPI{rng: rng, status: http.StatusTooManyRequests, admits: func(now time.Time) bool {
		ok := m.Admit(now)
		if !ok {
			a.refused++
		}
		return ok
	}}
	return a, fmt.Sprintf("%T of %d in %v, limit told: %v", m, n, w, a.told != "")
}

// A window that only bare refusals show is found, whatever its length, and even if the first guess at that was wrong: it is used like
// by a client that only retries, with hardly a refusal. So it is if responses tell the limit, and nothing else.
func TestSilentWindows(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	chance.Test(t, func(t testing.TB) {
		const worlds = 40
		var refused [2]int
		mean := 0.
		for world := range uint64(worlds) {
			var done, no [2]int
			var name string
			for i := range done {
				chance.Bubble(t, func(t testing.TB) {
					rng := rand.New(rand.NewPCG(world, 23))
					callers, into := []int{1, 5, 20, 50}[rng.IntN(4)], time.Duration(rng.Int64N(int64(time.Minute)))
					api, kind := newWindowAPI(rng)
					c := retrying(api)
					if i > 0 {
						c = &http.Client{Transport: transport(t, api)}
					}
					time.Sleep(into)
					done[i] = gets(t, c, callers, 0, 8*time.Minute)
					no[i], name = api.refused, fmt.Sprintf("%s, %d callers", kind, callers)
				})
				refused[i] += no[i]
			}
			ratio := float64(done[1]) / float64(done[0])
			mean += min(ratio, 1) / worlds
			t.Logf("%.2f of %d, refused %d and %d: %s", ratio, done[0], no[1], no[0], name)
			assert.Greater(t, ratio, .75, name)
		}
		t.Logf("mean %.3f, refused %d and %d", mean, refused[1], refused[0])
		assert.Greater(t, mean, .96)
		assert.Less(t, 20*refused[1], refused[0])
	})
}
