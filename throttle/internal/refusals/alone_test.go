package refusals

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A lonely sends one request after the other, of which each is refused as the given function says,
// which gets whether it was refused before, and returns after how many refusals are seen to concern
// the refused requests alone; 0 is never.
func lonely(seed uint64, requests int, refuses func(rng *rand.Rand, again bool) bool) (at int) {
	var l loneliness
	rng := rand.New(rand.NewPCG(seed, 1))
	waiting := false
	for n := range requests {
		again := waiting && rng.IntN(3) == 0
		refused := refuses(rng, again)
		if again {
			waiting = refused
		} else {
			waiting = waiting || refused
		}
		if l.observe(&Request{Number: int64(n + 1), Retry: again}, refused, int64(n+1)) && at == 0 {
			at = n + 1
		}
	}
	return at
}

// One that was refused is refused again while others are served: there are limits that no limiter of
// all requests explains.
func TestRefusalsConcernOneRequest(t *testing.T) {
	for seed := range uint64(20) {
		at := lonely(seed, 400, func(rng *rand.Rand, again bool) bool {
			if again {
				return rng.IntN(10) < 9
			}
			return rng.IntN(10) == 0
		})
		assert.Positive(t, at)
		assert.Less(t, at, 250)
	}
}

// Where chance refuses, or a rate does, it makes no difference.
func TestRefusalsConcernAll(t *testing.T) {
	for _, share := range []float64{.01, .05, .2, .5, .9} {
		for seed := range uint64(20) {
			assert.Zero(t, lonely(seed, 20000, func(rng *rand.Rand, _ bool) bool { return rng.Float64() < share }))
		}
	}
}

// A closed window refuses all, and says nothing of one of them.
func TestClosedWindowRefusesAll(t *testing.T) {
	for seed := range uint64(20) {
		n := 0
		assert.Zero(t, lonely(seed, 20000, func(*rand.Rand, bool) bool {
			n++
			return n%100 >= 90
		}))
	}
}

// It ends when it is no longer so.
func TestRefusalsNoLongerConcernOneRequest(t *testing.T) {
	var l loneliness
	for n := range int64(100) {
		l.observe(&Request{Number: n, Retry: n%4 == 3}, n%4 == 3, n)
	}
	assert.True(t, l.on)
	for n := int64(100); l.on; n++ {
		l.observe(&Request{Number: n, Retry: n%4 == 3}, false, n)
		assert.Less(t, n, int64(1000))
	}
}
