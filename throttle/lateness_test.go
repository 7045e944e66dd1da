package throttle

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

var late = flag.Int("late", 0, "which of the latenesses the computer of every simulation has; 0 is its own")

// A lateness is how late a computer does what is due: timers fire late, what was admitted leaves late, and now and
// then nothing happens for a while, because memory is collected or the processor is another's. Nothing is ever early.
type lateness struct {
	most  time.Duration    // of each timer and each departure
	every time.Duration    // between two pauses, on average; 0 is never
	pause [2]time.Duration // bounds of one
}

// lateSteady is how many of the latenesses have no pauses.
const lateSteady = 3

// latenesses are those of computers that are idle, that are not, and that pause.
var latenesses = []lateness{
	{},
	{most: time.Millisecond},
	{most: 20 * time.Millisecond},
	{most: time.Millisecond / 10, every: 20 * time.Second, pause: [2]time.Duration{100 * time.Millisecond, time.Second}},
	{most: 20 * time.Millisecond, every: 20 * time.Second, pause: [2]time.Duration{100 * time.Millisecond, time.Second}},
}

// A computer is one that is late. It draws from a source of its own, so that a lateness of 0 changes nothing.
type computer struct {
	lateness

	random *rand.Rand
	*agenda
	until time.Time // of the pause that is, or was last
}

// computer returns that of a process.
func (r *run) computer(index int) *computer {
	c := &computer{lateness: r.late, random: rand.New(rand.NewPCG(r.seed, 1000+uint64(index))), agenda: &r.agenda}
	c.start(r.from)
	return c
}

// start has the pauses begin.
func (c *computer) start(now time.Time) {
	if c.every == 0 {
		return
	}
	c.at(now.Add(time.Duration(c.random.ExpFloat64()*float64(c.every))), func(now time.Time) {
		c.until = now.Add(c.pause[0] + time.Duration(c.random.Int64N(int64(c.pause[1]-c.pause[0]))))
		c.start(c.until)
	})
}

// due enters what the computer does that is due at t.
func (c *computer) due(t time.Time, what func(now time.Time)) {
	if c.most > 0 {
		t = t.Add(time.Duration(c.random.Int64N(int64(c.most))))
	}
	c.awake(t, what)
}

// awake enters what the computer does at t, unless it pauses then.
func (c *computer) awake(t time.Time, what func(now time.Time)) {
	if c.lateness == (lateness{}) {
		c.at(t, what)
		return
	}
	c.at(t, func(now time.Time) {
		if now.Before(c.until) {
			c.due(c.until, what)
			return
		}
		what(now)
	})
}

// How fast a bucket fills, and how long a server remembers requests, is found out although the computer pauses now and then, so that
// a program gets nearly what it would get with a client that only retries.
func TestPausesHideNoFastBucket(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	seconds := announcement{step: time.Second, rounding: 1, date: true, wait: true}
	lengths := announcement{step: time.Second, rounding: 1, date: true, wait: true, lengths: true, whole: true}
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		announce announcement
	}{
		"a bucket of 10, 50 a second": {filling(10, 50, time.Second, ratemodel.ResetFull), seconds},
		"a bucket of 5, 20 a second":  {filling(5, 20, time.Second, ratemodel.ResetFull), lengths},
		"10 a second, rolling":        {func() ratemodel.Model { return ratemodel.NewSlidingLog(10, time.Second) }, seconds},
	} {
		for seed := range uint64(6) {
			s := simulation{model: c.model, announce: c.announce, callers: 20, length: 3 * time.Minute, policy: DefaultPolicy(),
				fastest: 40 * time.Millisecond, slowest: 70 * time.Millisecond, start: into, seed: seed, late: latenesses[3]}
			ours := s.run()
			s.bare = true
			share := float64(ours.admitted) / float64(s.run().admitted)
			t.Logf("%s: %.2f of a plain client's: %v", name, share, ours)
			assert.GreaterOrEqual(t, share, .65, name)
			assert.LessOrEqual(t, ours.refused, 6+ours.sent/100, name)
		}
	}
}
