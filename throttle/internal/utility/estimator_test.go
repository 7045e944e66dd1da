package utility_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/utility"
)

// A server serves so many requests in an epoch to a client that waits for it, and to one that does not.
type server struct {
	waiting, free int
	refused       [2]int // of those, besides
	doubted       bool
}

// epochs lets a client send for so many epochs, and returns in how many of them requests did not wait, and how
// many were refused.
func (s server) epochs(e *utility.Estimator, first, n int64) (free, refused int) {
	for epoch := first; epoch < first+n; epoch++ {
		did, step := 0, utility.Epoch/clock.Instant(s.waiting+s.free)
		served, turned := 0, 0
		for now := clock.Instant(epoch) * utility.Epoch; now < clock.Instant(epoch+1)*utility.Epoch; now += step {
			most, no := s.waiting, s.refused[0]
			if e.Free(0) {
				did, most, no = 1, s.free, s.refused[1]
			} else {
				e.Hold()
			}
			past := float64(now%utility.Epoch) / float64(utility.Epoch)
			if float64(turned) < past*float64(no) {
				turned++
				refused++
				e.Refuse(now, epoch, s.doubted)
			}
			if float64(served) <= past*float64(most) {
				served++
				e.Serve(epoch, s.doubted)
			}
		}
		free += did
	}
	return free, refused
}

// Where much is refused to those who wait, and more is served to those who do not, requests do not wait, but for one
// epoch now and then.
func TestWaitingInVain(t *testing.T) {
	var e utility.Estimator
	free, _ := server{waiting: 70, free: 240, refused: [2]int{8, 150}}.epochs(&e, 1000, 100)
	assert.Greater(t, free, 85)
	assert.Less(t, free, 99)
}

// Where nothing speaks against a limit, or requests do not wait, nothing is tried.
func TestNothingIsTriedForNothing(t *testing.T) {
	var e utility.Estimator
	free, _ := server{waiting: 100, free: 300, refused: [2]int{1, 0}}.epochs(&e, 1000, 1000)
	assert.Zero(t, free)
}

// A limit in doubt is tried, and in vain where nothing more is served, the more rarely the more often.
func TestATrialInVain(t *testing.T) {
	for name, refused := range map[string]int{"refused": 90, "not refused": 0} {
		t.Run(name, func(t *testing.T) {
			var e utility.Estimator
			free, n := server{waiting: 100, free: 100, refused: [2]int{0, refused}, doubted: true}.epochs(&e, 1000, 1000)
			assert.Greater(t, free, 2)
			assert.Less(t, free, 9)
			assert.LessOrEqual(t, n, 8*free)
		})
	}
}

// Those who try wait in the same epochs, so that they see when the others are gone.
func TestNothingIsGainedAnyLonger(t *testing.T) {
	var a, b utility.Estimator
	rivals := server{waiting: 70, free: 240, refused: [2]int{8, 150}}
	rivals.epochs(&a, 1000, 70)
	rivals.epochs(&b, 1033, 37)
	assert.True(t, a.Free(0) && b.Free(0))
	alone := server{waiting: 240, free: 240, refused: [2]int{1, 150}}
	alone.epochs(&a, 1070, 19) // in the last one both wait
	alone.epochs(&b, 1070, 19)
	assert.False(t, a.Free(0) || b.Free(0))
	a.Serve(1089, false)
	b.Serve(1089, false)
	assert.False(t, a.Free(0) || b.Free(0))
}

// What is not seen for a while is not compared.
func TestIdleEpochs(t *testing.T) {
	var e utility.Estimator
	rivals := server{waiting: 70, free: 240, refused: [2]int{8, 150}}
	rivals.epochs(&e, 1000, 20)
	assert.True(t, e.Free(0))
	e.Serve(5000, false)
	assert.False(t, e.Free(0))
}
