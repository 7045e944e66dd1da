package throttle

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/contention"
	"github.com/forbear-go/forbear/throttle/internal/kind"
)

// Where there is plenty, weighing would let the request go too.
func TestPlentyIsSoundlyWeighed(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	some := func(most int64) int64 { return r.Int64N(most + 1) }
	plenty := 0
	for range 200_000 {
		k, err := New(Policy{}, epoch)
		require.NoError(t, err)
		k.sent, k.answered, k.lastSent = 1+some(20), some(20), instant(30+some(20))
		w := &window{limit: some(40) - 1, threshold: some(8), reserve: some(4), grantedThrough: some(60), credited: r.IntN(8) > 0}
		w.concurrent, w.resetKnown = r.IntN(8) == 0, r.IntN(2) == 0
		w.reset = clock.Between(instant(some(200)), instant(200+some(100)))
		w.length.Value, w.length.Told = instant(some(2)), r.IntN(2) == 0
		for range r.IntN(3) { // others may be there, or servers that count apart
			v := w.view(k, 50-instant(some(100))*second)
			v.Limit = max(v.Limit, 1)
			w.contention.Observe(&contention.Response{View: &v, Number: some(20), Cost: 1, Before: some(20), Remaining: some(40)}, &k.random)
		}
		for move := range r.IntN(6) {
			w.kind.Move(clock.Between(instant(move), instant(move)), 60*second)
		}
		if r.IntN(4) == 0 {
			seemsBucket(w)
			require.NotZero(t, w.kind.Emission())
		}
		now, n := instant(50), 1+some(3)
		if w.plenty(k, now, n) {
			plenty++
			require.Equal(t, now, w.weigh(k, now, n), "%+v", w)
		}
	}
	assert.Greater(t, plenty, 10_000)
}

// seemsBucket makes responses show that w is a bucket that regains a request a second.
func seemsBucket(w *window) {
	for spent := range int64(24) {
		reset := instant(spent) * second
		w.kind.Observe(&kind.Observation{
			View: &kind.View{Limit: 40}, Remaining: 40 - spent, ResetTold: true, Told: clock.Between(reset-millisecond, reset+millisecond),
		})
	}
}
