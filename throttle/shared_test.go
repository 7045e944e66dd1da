package throttle

import (
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

func minutes(n int) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewFixed(n, time.Minute) }
}

func rolling(n int) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewSlidingLog(n, time.Minute) }
}

func bucketOf(n int, rule ratemodel.ResetRule) func() ratemodel.Model {
	return func() ratemodel.Model {
		b := ratemodel.NewBucket(n, n, time.Minute)
		b.Reset = rule
		return b
	}
}

var epochSeconds = announcement{epoch: true, step: time.Second, rounding: 1, date: true}

// Processes that share a quota and do not talk to each other.
func TestSharedQuotas(t *testing.T) {
	t.Parallel()
	base := simulation{announce: epochSeconds, callers: 10, processes: 4, start: into, length: 10*time.Minute - into, policy: DefaultPolicy()}
	for _, c := range []struct {
		name string
		s    func(s *simulation)
		bar  bar
	}{
		{"four, fixed", func(s *simulation) { s.model = minutes(400) }, bar{refused: .005, used: .98, fair: .9}},
		{"four, rolling", func(s *simulation) { s.model = rolling(400) }, bar{refused: .01, used: .95, fair: .9}},
		{"four, GCRA that tells when it is full", func(s *simulation) {
			s.model, s.announce.epoch = bucketOf(400, ratemodel.ResetFull), false
		}, bar{refused: .01, used: .95, fair: .9}},
		{"four, GCRA that tells the next", func(s *simulation) {
			s.model, s.announce.epoch, s.announce.lengths = bucketOf(400, ratemodel.ResetNext), false, true
		}, bar{refused: .04, used: .93, fair: .9}},
		{"with a naive client that takes half", func(s *simulation) {
			s.model, s.processes, s.naiveEvery = minutes(400), 1, 300*time.Millisecond
		}, bar{refused: .01, used: .98}},
		{"with a naive client that takes what it can", func(s *simulation) {
			s.model, s.processes, s.naiveCallers = minutes(400), 1, 10
		}, bar{refused: .07, used: .98}},
		{"with others who leave", func(s *simulation) {
			s.model, s.leave = minutes(400), 4*time.Minute
		}, bar{refused: .005, used: .98}},
		{"two", func(s *simulation) {
			s.model, s.processes = minutes(400), 2
		}, bar{refused: .005, used: .98, fair: .95}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := base
			c.s(&s)
			c.bar.try(t, s)
		})
	}
}

// Limits that move, and servers that do not agree with each other.
func TestMovingLimits(t *testing.T) {
	t.Parallel()
	base := simulation{announce: epochSeconds, model: minutes(300), callers: 20, start: into, length: 10*time.Minute - into, policy: DefaultPolicy()}
	set := func(after time.Duration, n int) change {
		return change{after, func(m ratemodel.Model) { m.(interface{ SetLimit(int) }).SetLimit(n) }}
	}
	for _, c := range []struct {
		name string
		s    func(s *simulation)
		bar  bar
	}{
		{"halved, then doubled", func(s *simulation) {
			s.changes = []change{set(3*time.Minute, 150), set(6*time.Minute, 300)}
		}, bar{refused: .005, used: .95}},
		{"halved and doubled early in the window", func(s *simulation) {
			s.changes = []change{set(3*time.Minute-into+500*time.Millisecond, 150), set(6*time.Minute-into+500*time.Millisecond, 300)}
		}, bar{refused: .005, used: .94}},
		{"halved, then doubled, rolling", func(s *simulation) {
			s.model = rolling(300)
			s.changes = []change{set(3*time.Minute, 150), set(6*time.Minute, 300)}
		}, bar{refused: .01, used: .93}},
		{"a plan upgraded", func(s *simulation) { s.changes = []change{set(3*time.Minute+5*time.Second, 3000)} }, bar{refused: .005, used: .93}},
		{"longer windows", func(s *simulation) {
			s.model = func() ratemodel.Model { return &swap{minutes(300)()} }
			s.changes = []change{{3*time.Minute - into + 20*time.Second, become(func() ratemodel.Model { return ratemodel.NewFixed(300, 2*time.Minute) })}}
		}, bar{refused: .005, used: .85}},
		{"shorter windows", func(s *simulation) {
			s.model = func() ratemodel.Model { return &swap{ratemodel.NewFixed(300, 2*time.Minute)} }
			s.changes = []change{{4*time.Minute - into + 20*time.Second, become(minutes(300))}}
		}, bar{refused: .005, used: .85}},
		{"a server that restarts and forgets", func(s *simulation) {
			s.model = func() ratemodel.Model { return &swap{minutes(300)()} }
			s.changes = []change{{3*time.Minute - into + 20*time.Second, become(minutes(300))}}
		}, bar{refused: .005, used: .9}},
		{"two nodes that count apart", func(s *simulation) { s.model, s.nodes = minutes(100), 2 }, bar{refused: .05, used: .93}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := base
			c.s(&s)
			c.bar.try(t, s)
		})
	}
}

// A swap is a model in whose place another one can be put.
type swap struct{ ratemodel.Model }

func become(fresh func() ratemodel.Model) func(ratemodel.Model) {
	return func(m ratemodel.Model) { m.(*swap).Model = fresh() }
}
