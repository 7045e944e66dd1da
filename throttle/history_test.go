package throttle

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// naiveLog does what a history does, request by request.
type naiveLog []instant

func (l naiveLog) after(since instant) int64 {
	n := int64(0)
	for _, at := range l {
		if at > since {
			n++
		}
	}
	return n
}

func (l naiveLog) fallsTo(n int64) instant {
	if int64(len(l)) <= n {
		return -never / 2
	}
	return l[int64(len(l))-n-1]
}

func TestHistoryIsALog(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		var h history
		var log naiveLog
		now := instant(0)
		for range 400 {
			now += instant(r.IntN(5))
			switch r.IntN(10) {
			case 0:
				since := now - instant(r.IntN(200))
				h.forget(since)
				log = slices.DeleteFunc(log, func(at instant) bool { return at <= since })
			case 1:
				if len(log) > 0 {
					i := r.IntN(len(log))
					h.remove(log[i], 1)
					log = slices.Delete(log, i, i+1)
				}
			default:
				n := 1 + r.IntN(3)
				h.add(now, int64(n))
				for range n {
					log = append(log, now)
				}
			}
			since, until := now-instant(r.IntN(300)), now-instant(r.IntN(100))
			require.Equal(t, log.after(since), h.after(since))
			require.Equal(t, log.after(since)-log.after(until), h.between(since, until))
			n := int64(r.IntN(len(log) + 2))
			require.Equal(t, log.fallsTo(n), h.fallsTo(n))
		}
	}
}

// Merging entries errs towards counting more, and for longer.
func TestMergedHistoryErrsTowardsWaiting(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for name, merge := range map[string]func(*history){
		"condense": (*history).condense, "halve": (*history).halve, "fit": (*history).fit,
	} {
		var h history
		var log naiveLog
		now := instant(0)
		for range 1000 {
			now += 1 + instant(r.IntN(9))
			h.add(now, 1)
			log = append(log, now)
		}
		size := h.size
		merge(&h)
		assert.Less(t, h.size, size, name)
		assert.Equal(t, int64(1000), h.sum()-h.gone, name)
		for range 200 {
			since, n := instant(r.Int64N(int64(now))), int64(r.IntN(1000))
			assert.GreaterOrEqual(t, h.after(since), log.after(since), name)
			assert.GreaterOrEqual(t, h.fallsTo(n), log.fallsTo(n), name)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	var h history
	h.setGrain(1e6, second)
	for i := range 10000 {
		h.add(instant(i)*100, 1)
	}
	assert.LessOrEqual(t, h.size, 2*historySize)
	assert.Equal(t, int64(10000), h.after(-1))
	h = history{}
	for i := range 10 * historySize {
		h.add(instant(i), 1)
	}
	assert.LessOrEqual(t, len(h.entries), 2*historySize, "also without a grain")
}

func TestHistoryAtRestGivesItsMemoryBack(t *testing.T) {
	var h history
	for i := range 500 {
		h.add(instant(i), 1)
	}
	h.fit()
	assert.Len(t, h.entries, atRest)
	h.add(1000, 1)
	assert.Equal(t, int64(501), h.sum()-h.gone)
	h.forget(2000)
	h.fit()
	assert.Nil(t, h.entries)
	h.add(3000, 2)
	assert.Equal(t, int64(503), h.sum())
	assert.Equal(t, int64(2), h.after(2000))
	assert.Equal(t, instant(3000), h.firstAfter(0))
	assert.Equal(t, never, h.firstAfter(3000))
}

// The log tells what was sent after some moment.
func TestHistoryAfter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		var h history
		var sent []instant
		now := instant(0)
		for range r.IntN(40) {
			now += instant(1 + r.IntN(3))
			h.add(now, 1)
			sent = append(sent, now)
		}
		h.forget(now / 4)
		for since := now / 4; since <= now+2; since++ {
			want := int64(0)
			for _, at := range sent {
				if at > since {
					want++
				}
			}
			require.Equal(t, want, h.after(since), "%v after %v", sent, since)
		}
	}
}
