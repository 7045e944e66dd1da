package eventlog

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// naiveLog does what a history does, request by request.
type naiveLog []clock.Instant

func (l naiveLog) after(since clock.Instant) int64 {
	n := int64(0)
	for _, at := range l {
		if at > since {
			n++
		}
	}
	return n
}

func (l naiveLog) fallsTo(n int64) clock.Instant {
	if int64(len(l)) <= n {
		return -clock.Never / 2
	}
	return l[int64(len(l))-n-1]
}

func TestLogCountsRequestByRequest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		var h Log
		var log naiveLog
		now := clock.Instant(0)
		for range 400 {
			now += clock.Instant(r.IntN(5))
			switch r.IntN(10) {
			case 0:
				since := now - clock.Instant(r.IntN(200))
				h.Forget(since)
				log = slices.DeleteFunc(log, func(at clock.Instant) bool { return at <= since })
			case 1:
				if len(log) > 0 {
					i := r.IntN(len(log))
					h.Remove(log[i], 1)
					log = slices.Delete(log, i, i+1)
				}
			default:
				n := 1 + r.IntN(3)
				h.Add(now, int64(n))
				for range n {
					log = append(log, now)
				}
			}
			since, until := now-clock.Instant(r.IntN(300)), now-clock.Instant(r.IntN(100))
			require.Equal(t, log.after(since), h.After(since))
			require.Equal(t, log.after(since)-log.after(until), h.Between(since, until))
			n := int64(r.IntN(len(log) + 2))
			require.Equal(t, log.fallsTo(n), h.FallsTo(n))
		}
	}
}

// Merging entries errs towards counting more, and for longer.
func TestMergedLogErrsTowardsWaiting(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for name, merge := range map[string]func(*Log){
		"condense": (*Log).Condense, "halve": (*Log).halve, "fit": (*Log).Fit,
	} {
		var h Log
		var log naiveLog
		now := clock.Instant(0)
		for range 1100 {
			now += 1 + clock.Instant(r.IntN(9))
			h.Add(now, 1)
			log = append(log, now)
		}
		size := h.size
		merge(&h)
		assert.Less(t, h.size, size, name)
		assert.Equal(t, int64(1100), h.Sum()-h.gone, name)
		for range 200 {
			since, n := clock.Instant(r.Int64N(int64(now))), int64(r.IntN(1100))
			assert.GreaterOrEqual(t, h.After(since), log.after(since), name)
			assert.GreaterOrEqual(t, h.FallsTo(n), log.fallsTo(n), name)
		}
	}
}

func TestLogIsBounded(t *testing.T) {
	var h Log
	h.SetGrain(1e6, clock.Second)
	for i := range 10000 {
		h.Add(clock.Instant(i)*100, 1)
	}
	assert.LessOrEqual(t, h.size, 2*most)
	assert.Equal(t, int64(10000), h.After(-1))
	h = Log{}
	for i := range 10 * most {
		h.Add(clock.Instant(i), 1)
	}
	assert.LessOrEqual(t, len(h.entries), 2*most, "also without a grain")
}

func TestLogAtRestGivesItsMemoryBack(t *testing.T) {
	var h Log
	for i := range 500 {
		h.Add(clock.Instant(i), 1)
	}
	h.Fit()
	assert.Len(t, h.entries, atRest)
	h.Add(1000, 1)
	assert.Equal(t, int64(501), h.Sum()-h.gone)
	h.Forget(2000)
	h.Fit()
	assert.Nil(t, h.entries)
	h.Add(3000, 2)
	assert.Equal(t, int64(503), h.Sum())
	assert.Equal(t, int64(2), h.After(2000))
	assert.Equal(t, clock.Instant(3000), h.FirstAfter(0))
	assert.Equal(t, clock.Never, h.FirstAfter(3000))
}

// The log tells what was sent after some moment.
func TestLogAfter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		var h Log
		var sent []clock.Instant
		now := clock.Instant(0)
		for range r.IntN(40) {
			now += clock.Instant(1 + r.IntN(3))
			h.Add(now, 1)
			sent = append(sent, now)
		}
		h.Forget(now / 4)
		for since := now / 4; since <= now+2; since++ {
			want := int64(0)
			for _, at := range sent {
				if at > since {
					want++
				}
			}
			require.Equal(t, want, h.After(since), "%v after %v", sent, since)
		}
	}
}

// However many requests were sent before, those of the last minute are counted about right.
func TestCondensedLogCountsTheLastMinute(t *testing.T) {
	const minute = 60 * clock.Second
	for _, rate := range []clock.Instant{20, 100, 1000, 10000} {
		var h Log
		step := clock.Second / rate
		for now := clock.Instant(0); now < 5*minute; now += step {
			h.Condense()
			h.Add(now, 1)
		}
		assert.LessOrEqual(t, len(h.entries), most, "%d a second", rate)
		assert.InEpsilon(t, 60*int64(rate), h.After(4*minute), .07, "%d a second", rate)
	}
}
