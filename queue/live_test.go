package queue

import (
	"flag"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

var plays = flag.Int("plays", 300, "how many random lines to play")

func playsFor(t *testing.T) uint64 {
	if testing.Short() || chance.Raced {
		return uint64(*plays) / 8
	}
	return uint64(*plays)
}

// For any rules and callers, the queue always knows which request goes next, and when; no request waits
// that could go, and in the end none is left.
func TestTheLineNeverStops(t *testing.T) {
	for seed := range playsFor(t) {
		synctest.Test(t, func(t *testing.T) {
			p := random(rand.New(rand.NewPCG(seed, 21)), seed%2 == 0)
			p.perform(t).line.Close()
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A request that would be sent after some time is sent at that time if its MaxWait is just long enough.
func TestNobodyIsTurnedAwayWhoseTurnWouldCome(t *testing.T) {
	waited, played := 0, 0
	for seed := range playsFor(t) {
		rng := rand.New(rand.NewPCG(seed, 22))
		p := random(rng, false)
		perform := func() (waits []time.Duration, errs []error) {
			synctest.Test(t, func(t *testing.T) {
				s := p.perform(t)
				s.line.Close()
				waits, errs = s.waits, s.errs
			})
			return waits, errs
		}
		patient, failed := perform()
		again, _ := perform()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		played++
		if !assert.ObjectsAreEqual(patient, again) {
			continue // two things happened in the same instant
		}
		for range 3 {
			i := rng.IntN(len(p.cast))
			if patient[i] == 0 || failed[i] != nil {
				continue
			}
			waited++
			p.cast[i].MaxWait = patient[i] + 1 // a permit that comes back in the last instant may be too late
			waits, errs := perform()
			if !assert.NoError(t, errs[i], "request %d, which came after %v", i, p.cast[i].at) {
				t.Fatalf("seed %d", seed)
			}
			assert.Equal(t, patient[i], waits[i])
			p.cast[i].MaxWait = 0
		}
	}
	t.Logf("%d plays, %d requests with just enough patience", played, waited)
	assert.Greater(t, waited, played/2)
}
