package client_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A shortAPI is silent, but for the wait that a refusal may name, in whole seconds.
type shortAPI struct {
	silentAPI
	refused int
}

// newShortAPI returns an API with a random limit of up to 50 requests in a second or two, and what it is.
func newShortAPI(rng *rand.Rand) (*shortAPI, string) {
	n, w := int(3*math.Pow(17, rng.Float64())), time.Duration(1+rng.IntN(2))*time.Second
	models := [...]ratemodel.Model{ratemodel.NewFixed(n, w), ratemodel.NewFixed(n, w), ratemodel.NewSlidingLog(n, w), ratemodel.NewSlidingCounter(n, w), ratemodel.NewBucket(n, n, w)}
	m := models[rng.IntN(len(models))]
	a := &shortAPI{}
	waits := rng.IntN(2) == 0
	a.silentAPI = silentAPI{rng: rng, status: http.StatusTooManyRequests, admits: func(now time.Time) bool {
		if m.Admit(now) {
			return true
		}
		a.refused++
		if waits {
			wait := m.Next(now).Sub(now)
			a.named = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		}
		return false
	}}
	return a, fmt.Sprintf("%T of %d in %v, tells waits: %v", m, n, w, waits)
}

// The first twenty seconds of a program that uses a silent limit of a second or two are worth about as much as with a client that
// only retries, at fewer refusals.
func TestFirstSecondsOfSilentLimits(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	chance.Test(t, func(t testing.TB) {
		const worlds = 30
		var refused [2]int
		mean := 0.
		for world := range uint64(worlds) {
			var done, no [2]int
			var name string
			for i := range done {
				chance.Bubble(t, func(t testing.TB) {
					rng := rand.New(rand.NewPCG(world, 17))
					callers, into := []int{5, 20, 20, 40}[rng.IntN(4)], time.Duration(rng.Int64N(int64(2*time.Second)))
					api, kind := newShortAPI(rng)
					c := retrying(api)
					if i > 0 {
						c = &http.Client{Transport: transport(t, api)}
					}
					time.Sleep(into)
					done[i] = gets(t, c, callers, 0, 20*time.Second)
					no[i], name = api.refused, fmt.Sprintf("%s, %d callers", kind, callers)
				})
				refused[i] += no[i]
			}
			ratio := float64(done[1]) / float64(done[0])
			mean += min(ratio, 1) / worlds
			t.Logf("%.2f of %d, refused %d and %d: %s", ratio, done[0], no[1], no[0], name)
			assert.Greater(t, ratio, .65, name)
		}
		t.Logf("mean %.3f, refused %d and %d", mean, refused[1], refused[0])
		assert.Greater(t, mean, .94)
		assert.Less(t, 4*refused[1], refused[0])
	})
}
