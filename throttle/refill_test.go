package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// used returns a bucket that tells when it is full again, of which so many are spent.
func used(spent, capacity int, period time.Duration) func() ratemodel.Model {
	return func() ratemodel.Model {
		b := ratemodel.NewBucket(capacity, capacity, period)
		b.Reset = ratemodel.ResetFull
		for range spent {
			b.Admit(epoch)
		}
		return b
	}
}

// What is full again in an hour gives back requests long before.
func TestABucketThatIsAlmostEmpty(t *testing.T) {
	for name, c := range map[string]struct {
		model            func() ratemodel.Model
		callers, refused int
		least            float64
	}{
		"3,600 an hour, 200 left":     {used(3400, 3600, time.Hour), 5, 0, .99},
		"600 in ten minutes, 60 left": {used(540, 600, 10*time.Minute), 5, 0, .98},
		"5,000 a day, 40 left":        {used(4960, 5000, 24*time.Hour), 3, 0, .9},
		"3,600 an hour, empty":        {used(3600, 3600, time.Hour), 5, 1, .98},
		"1,000 an hour, empty":        {used(1000, 1000, time.Hour), 5, 1, .97},
	} {
		t.Run(name, func(t *testing.T) {
			for _, epochs := range []bool{true, false} {
				s := simulation{model: c.model, announce: epochSeconds, callers: c.callers, length: 5 * time.Minute, policy: DefaultPolicy(),
					fastest: latencies[1][0], slowest: latencies[1][1]}
				s.announce.epoch, s.announce.wait = epochs, true
				o := s.run()
				assert.LessOrEqual(t, o.refused, c.refused, "%v", o)
				assert.GreaterOrEqual(t, o.used(), c.least, "%v", o)
			}
		})
	}
}

// emptyUntil is what a server says that has nothing left of so many, or so many, until a
// reset.
func emptyUntil(limit, left int, reset float64) header.Reading {
	return header.Reading{Windows: []header.Window{{Name: "hour", Unit: "requests", Limit: known(limit), Remaining: known(left),
		Reset: header.Reset{At: at(reset), Resolution: time.Second}}}}
}

// servedEarly returns a script of a client that was refused, bidden to come back in two
// seconds, and served then, although nothing was left until the reset.
func servedEarly(t *testing.T, limit int, reset, again float64) *script {
	s := newScript(t, DefaultPolicy())
	first := emptyUntil(limit, 0, reset)
	first.Refused, first.Wait = true, refusal(2*time.Second).Wait
	s.hears(.1, s.goes(0), first)
	s.hears(3.1, s.goes(3), emptyUntil(limit, 0, again))
	return s
}

// A request that was served early shows that others will be.
func TestServedBeforeTheReset(t *testing.T) {
	s := servedEarly(t, 1800, 3600, 3603)
	s.goes(5.5) // one every two seconds
	assert.WithinDuration(t, at(8), s.waits(5.6, "hour"), 2*time.Second)
}

// A window that does not take a usual time to fill is no bucket, nor is one that refused
// again.
func TestServedBeforeTheResetOfNoBucket(t *testing.T) {
	s := servedEarly(t, 1800, 2500, 2500)
	assert.WithinDuration(t, at(2500), s.waits(5.6, "hour"), 2*time.Second)

	s = servedEarly(t, 1800, 3600, 3603)
	again := emptyUntil(1800, 0, 3605)
	again.Refused, again.Wait = true, refusal(2*time.Second).Wait
	s.hears(5.7, s.goes(5.5), again)
	s.hears(8.6, s.goes(8.5), emptyUntil(1800, 0, 3608))
	assert.WithinDuration(t, at(3608), s.waits(8.7, "hour"), 2*time.Second, "it is not believed twice")
}
