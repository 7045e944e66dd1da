package harm

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/queue/adaptive"
	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// Adaptive concurrency gets more out of a server that breaks down under load, and does no
// harm where load is not why answers are slow.
func TestAdaptiveConcurrency(t *testing.T) {
	if chance.Raced {
		t.Skip("these are figures")
	}
	adaptively := peer.Client{Name: "forbear, adaptive", New: func(s peer.Setting) (http.RoundTripper, error) {
		return client.NewTransport(s.Base, client.WithQueue(adaptive.WithConcurrency(adaptive.Config{})))
	}}
	plainly, _ := peer.Named(peer.Forbear)
	for _, c := range []struct {
		world World
		least float64 // served, of what forbear is served without it
		most  float64
	}{
		{world: world(t, "node-slow"), least: .97, most: 1.03},
		{
			world: World{
				ID: "busy", Name: "answers take 100 ms for 10 requests at once, longer for more, and much longer for more than 40",
				Span: 5 * time.Minute, Callers: 200,
				API: func(s *site) http.Handler { return busy(s.ok(), 10, 100*time.Millisecond) },
			},
			least: 3, most: 1000,
		},
	} {
		without, with := run(t, c.world, plainly, 1), run(t, c.world, adaptively, 1)
		t.Logf("%s: served %d without, %d with; longest call %v and %v", c.world.ID, without.Served, with.Served, without.Longest, with.Longest)
		assert.GreaterOrEqual(t, float64(with.Served), c.least*float64(without.Served), c.world.ID)
		assert.LessOrEqual(t, float64(with.Served), c.most*float64(without.Served), c.world.ID)
	}
}

// busy lets an answer take least, as long as no more than n requests are there, and longer
// the more there are: beyond four times as many it gets less done.
func busy(next http.Handler, n int, least time.Duration) http.Handler {
	var inside atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		load := max(1, float64(inside.Add(1))/float64(n))
		defer inside.Add(-1)
		if load > 4 {
			load *= load / 4
		}
		if sleep(r.Context(), time.Duration(float64(least)*load)) == nil {
			next.ServeHTTP(w, r)
		}
	})
}

func world(t *testing.T, id string) World {
	for _, w := range Worlds() {
		if w.ID == id {
			return w
		}
	}
	t.Fatal("no world is called " + id)
	return World{}
}
