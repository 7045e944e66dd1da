package kind

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// served returns what is known of a server that a client asks at changing distances. counts returns how many it
// counts, as requests came at the given times, the last of them now. Its resets leave open whether its windows are aligned.
func served(counts func(sent []clock.Instant) int64, n int) *Estimator {
	const trip = clock.Second / 10
	var (
		e    Estimator
		log  eventlog.Log
		rtt  clock.RTT
		sent []clock.Instant
		now  = clock.Second
	)
	e.aligned.last = clock.Between(0, 2*clock.Second)
	for i := range n {
		now += clock.Second/8 + clock.Instant(i*i%29)*clock.Second/40
		log.Add(now, 1)
		sent = append(sent, now+trip/2)
		rtt.Observe(trip)
		e.recall.observe(&Observation{View: &View{Now: now + trip, Limit: 100, Log: &log, RTT: &rtt}, Sent: now, Remaining: 100 - counts(sent)})
		now += trip
	}
	return &e
}

func since(from clock.Instant, sent []clock.Instant) (n int64) {
	for _, at := range sent {
		if at > from {
			n++
		}
	}
	return n
}

// How long a server remembers requests that keeps a log of them shows whatever the resets say. Of a window that opens
// at once nothing shows, nor of one that weighs the last, nor of a log of an odd length.
func TestRecall(t *testing.T) {
	log := func(length clock.Instant) func(sent []clock.Instant) int64 {
		return func(sent []clock.Instant) int64 { return since(sent[len(sent)-1]-length, sent) }
	}
	fixed := func(sent []clock.Instant) int64 {
		return since(sent[len(sent)-1]/(5*clock.Second)*5*clock.Second-1, sent)
	}
	weighed := func(sent []clock.Instant) int64 {
		const length = 2 * clock.Second
		now := sent[len(sent)-1]
		start := now / length * length
		this := since(start-1, sent)
		return this + (since(start-length-1, sent)-this)*int64(length-(now-start))/int64(length)
	}
	for _, length := range []clock.Instant{1, 2, 5} {
		assert.Equal(t, length*clock.Second, served(log(length*clock.Second), 400).Remembers(), length)
	}
	assert.Zero(t, served(log(3*clock.Second), 400).Remembers(), "of an odd length")
	assert.Zero(t, served(log(60*clock.Second), 400).Remembers(), "long enough for its resets")
	assert.Zero(t, served(fixed, 400).Remembers(), "fixed")
	assert.Zero(t, served(weighed, 400).Remembers(), "weighed")
}

// What a log does not explain is not believed for some time.
func TestRecallOfRefusals(t *testing.T) {
	second := func(sent []clock.Instant) int64 { return since(sent[len(sent)-1]-clock.Second, sent) }
	e := served(second, 400)
	now := clock.Never / 4
	var log eventlog.Log
	var rtt clock.RTT
	rtt.Observe(clock.Second / 10)
	log.Add(now-2*clock.Second, 100)
	log.Add(now, 1)
	o := &Observation{View: &View{Now: now + clock.Second/10, Limit: 100, Log: &log, RTT: &rtt}, Sent: now, Refused: true}
	e.recall.observe(o)
	assert.Zero(t, e.Remembers(), "it counts what is two seconds old")

	e = served(second, 400)
	log = eventlog.Log{}
	log.Add(now-clock.Second/2, 100)
	log.Add(now, 1)
	e.recall.observe(o)
	assert.Equal(t, clock.Second, e.Remembers(), "it counts what is half a second old")
}
