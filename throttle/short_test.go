package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// In the first two minutes, windows of up to ten seconds serve about as much as to a client
// that knows of no limits, and comes back when a refusal says, which is refused half of what it
// sends: whatever the algorithm, whatever is told of the reset, and whether the length is.
func TestShortWindowsBesideAPlainClient(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	for _, told := range []bool{true, false} {
		shares, refused, low := map[string][]float64{}, map[string]int{}, 0
		servers := 0
		for seed := range uint64(300) {
			s, words := random(seed)
			all := s.model().(ratemodel.All)
			if s.length > 100*time.Second || len(all) > 1 || all[0].Windows(nil, epoch)[0].Limit > 100 {
				continue
			}
			s.length, s.announce.lengths = 2*time.Minute, told
			ours := s.run()
			s.bare = true
			plain := s.run()
			share := min(float64(ours.admitted)/float64(plain.admitted), 1.1)
			name := kindOf(all[0])
			shares[name] = append(shares[name], share)
			refused[name] += ours.refused
			servers++
			if share < .9 {
				low++
			}
			if share < .35 {
				t.Errorf("%.2f of a plain client's: %s", share, words)
			}
		}
		t.Logf("length told %v: %d of %d servers below 0.9", told, low, servers)
		for name, all := range shares {
			sum := 0.
			for _, share := range all {
				sum += share
			}
			mean := sum / float64(len(all))
			t.Logf("%s: %.3f of %d, %d refused", name, mean, len(all), refused[name])
			assert.Greater(t, mean, shortFloors[name], name)
		}
		assert.Less(t, low, servers*3/10)
	}
}

var shortFloors = map[string]float64{"fixed": .94, "first": .94, "log": .88, "counter": .86, "bucket": .94}

func kindOf(m ratemodel.Model) string {
	switch m := m.(type) {
	case *ratemodel.Fixed:
		if m.FromFirst {
			return "first"
		}
		return "fixed"
	case *ratemodel.SlidingLog:
		return "log"
	case *ratemodel.SlidingCounter:
		return "counter"
	}
	return "bucket"
}

// Of a window that is used up, and of whose reset and length nothing is told, probes find out
// how fast it serves.
func TestWindowsOfWhichNoTimeIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		model func() ratemodel.Model
		least float64
	}{
		"bucket of one, ten a second":    {bucketOfOne(10, time.Second), .55},
		"bucket of one, one a second":    {bucketOfOne(1, time.Second), .8},
		"bucket of one, twelve a minute": {bucketOfOne(12, time.Minute), .7},
		"ten in a second, rolling": {func() ratemodel.Model {
			m := ratemodel.NewSlidingLog(10, time.Second)
			m.Reset = ratemodel.ResetNone
			return m
		}, .6},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := simulation{model: c.model, announce: announcement{silent: true, date: true}, callers: 20, length: 10 * time.Minute,
					policy: DefaultPolicy(), fastest: 30 * time.Millisecond, slowest: 60 * time.Millisecond, seed: seed}
				got := s.run()
				t.Log(got)
				assert.Greater(t, got.used(), c.least)
				assert.Less(t, got.refusals(), .15)
			}
		})
	}
}

func bucketOfOne(n int, per time.Duration) func() ratemodel.Model {
	return func() ratemodel.Model {
		m := ratemodel.NewBucket(1, n, per)
		m.Reset = ratemodel.ResetNone
		return m
	}
}

// In the first twenty seconds, windows of a second or two whose resets come in whole seconds are used for the
// most part, although it takes longer to learn when within a second they open.
func TestFirstSecondsOfShortWindows(t *testing.T) {
	for _, c := range []struct {
		limit  int
		length time.Duration
		epoch  bool
		least  float64 // of what can be served, over some draws
	}{
		{10, time.Second, true, .65},
		{10, time.Second, false, .56},
		{10, 2 * time.Second, true, .78},
		{10, 2 * time.Second, false, .57},
		{50, time.Second, true, .78},
		{50, time.Second, false, .75},
		{50, 2 * time.Second, true, .88},
		{50, 2 * time.Second, false, .75},
	} {
		var admitted, refused, possible int
		for seed := range uint64(10) {
			s := simulation{announce: announcement{epoch: c.epoch, step: time.Second, rounding: 1, wait: true, date: true}, callers: 20,
				start: time.Duration(seed) * 1370 * time.Millisecond, length: 20 * time.Second, policy: DefaultPolicy(), fastest: 40 * time.Millisecond,
				slowest: 60 * time.Millisecond, seed: seed, model: func() ratemodel.Model { return ratemodel.NewFixed(c.limit, c.length) }}
			got := s.run()
			admitted, refused, possible = admitted+got.admitted, refused+got.refused, possible+got.oracle
		}
		share := float64(admitted) / float64(possible)
		t.Logf("%d in %v: %.3f, refused %d", c.limit, c.length, share, refused)
		assert.Greater(t, share, c.least)
		assert.LessOrEqual(t, refused, 10)
	}
}
