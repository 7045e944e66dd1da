package client_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// A quota is what an API allows in a quarter of an hour.
type quota struct {
	limit, spent int
	reset        time.Time
}

// spend answers a request.
func (q *quota) spend(h http.Header) (status int) {
	status = http.StatusOK
	if time.Now().After(q.reset) {
		q.spent, q.reset = 0, time.Now().Add(15*time.Minute)
	}
	if q.spent++; q.spent > q.limit {
		q.spent, status = q.limit, http.StatusTooManyRequests
	}
	say(h, q.limit, q.limit-q.spent, int(time.Until(q.reset)/time.Second)+1)
	return status
}

// What a server said may become wrong long before the time that it told, and then whoever can wait for that time
// waits in vain. What has been said for five minutes is tested.
func TestWhatIsSaidForLongIsTested(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changed func(q *quota) // after four minutes
		lasts   time.Duration
		least   float64 // of what a client gets that only retries
		refused int
	}{
		"the quota is raised":     {func(q *quota) { q.limit = 100_000 }, 24 * time.Minute, .9, 3},
		"a restart forgets it":    {func(q *quota) { q.spent = 0 }, 24 * time.Minute, .95, 3},
		"a new window begins":     {func(q *quota) { q.reset = time.Time{} }, 24 * time.Minute, .95, 3},
		"it is no longer counted": {func(q *quota) { q.limit, q.spent = 300, -1_000_000 }, 24 * time.Minute, .9, 3},
		"nothing changes":         {func(q *quota) {}, 106 * time.Minute, .99, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := func(ours bool) (served, refused int) {
				chance.Bubble(t, func(t testing.TB) {
					began, changed, q := time.Now(), false, &quota{limit: 300}
					g := &gap{rng: rand.New(rand.NewPCG(1, 2)), began: began, answer: func(_ *gap, h http.Header) (int, time.Duration) {
						if !changed && time.Since(began) > 4*time.Minute {
							changed = true
							c.changed(q)
						}
						status := q.spend(h)
						if status != http.StatusOK {
							refused++
						}
						return status, 0
					}}
					rt := transportOf(t, g, ours)
					ctx, cancel := context.WithTimeout(t.Context(), c.lasts)
					defer cancel()
					ask(ctx, t, rt, 10, func(int, int) string { return "https://api.test/x" })
					served = g.served
				})
				return served, refused
			}
			plain, most := job(false)
			ours, refused := job(true)
			t.Logf("%d served, %d refused, and of a client that only retries %d and %d", ours, refused, plain, most)
			assert.GreaterOrEqual(t, float64(ours), c.least*float64(plain))
			assert.LessOrEqual(t, refused, c.refused)
		})
	}
}
