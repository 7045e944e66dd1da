package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// pools are limits of which one counts a request, by something that the client does not know.
type pools struct {
	all  []ratemodel.Model
	next int
}

func (p *pools) Admit(now time.Time) bool {
	p.next = (p.next + 1) % len(p.all)
	return p.all[p.next].Admit(now)
}

func (p *pools) Next(now time.Time) time.Time { return p.all[p.next].Next(now) }

func (p *pools) Windows(dst []ratemodel.Window, now time.Time) []ratemodel.Window {
	return p.all[p.next].Windows(dst, now)
}

// lowest counts each request against all its limits, and tells of the one with least left.
type lowest struct{ ratemodel.All }

func (l lowest) Windows(dst []ratemodel.Window, now time.Time) []ratemodel.Window {
	all := l.All.Windows(nil, now)
	least := all[0]
	for _, w := range all {
		if w.Remaining < least.Remaining {
			least = w
		}
	}
	least.Name = ""
	return append(dst, least)
}

// Several limits under one name: those with most left are used, too, or whichever is shown.
func TestSeveralLimitsUnderOneName(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	told := announcement{step: time.Second, wait: true, date: true, rounding: 1}
	moment := told
	moment.epoch = true
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		announce announcement
	}{
		"two pools": {func() ratemodel.Model {
			return &pools{all: []ratemodel.Model{ratemodel.NewFixed(30, time.Minute), ratemodel.NewFixed(1000, time.Minute)}}
		}, moment},
		"four pools": {func() ratemodel.Model {
			return &pools{all: []ratemodel.Model{ratemodel.NewFixed(30, time.Minute), ratemodel.NewFixed(100, time.Minute),
				ratemodel.NewFixed(300, time.Minute), ratemodel.NewFixed(1000, time.Minute)}}
		}, told},
		"the lower of two, moments": {func() ratemodel.Model {
			return lowest{ratemodel.All{ratemodel.NewFixed(20, time.Second), ratemodel.NewFixed(300, time.Minute)}}
		}, moment},
		"the lower of two, delays": {func() ratemodel.Model {
			return lowest{ratemodel.All{ratemodel.NewFixed(20, time.Second), ratemodel.NewFixed(300, time.Minute)}}
		}, told},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3) {
				s := simulation{model: c.model, announce: c.announce, callers: 20, start: 17300 * time.Millisecond, length: 20 * time.Minute,
					policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 80 * time.Millisecond, seed: seed}
				ours := s.run()
				s.bare = true
				plain := s.run()
				t.Logf("%v, plain %v", ours, plain)
				assert.Greater(t, float64(ours.admitted), .85*float64(plain.admitted))
				assert.LessOrEqual(t, ours.refused, plain.refused)
			}
		})
	}
}

// A request that is larger than the lowest of several limits is not refused for good.
func TestARequestLargerThanTheLowestOfSeveralLimits(t *testing.T) {
	s := newScript(t, plain())
	tell := func(seconds float64, limit int) {
		r := minute(limit, limit-1, 60)
		s.hears(seconds+.05, s.goes(seconds), r)
	}
	tell(0, 30)
	assert.Equal(t, 30, s.k.Ask(at(.1), 50).Max, "as far as is known")
	for i := range 12 {
		tell(float64(i)/2+.5, []int{1000, 30}[i%2])
	}
	assert.Zero(t, s.k.Ask(at(7), 50).Max)
}
