package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// into is how far in a window of the clock the runs begin.
const into = 17300 * time.Millisecond

// APIs that say nothing but no.
func TestSilentServers(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	mute := announcement{mute: true, date: true}
	hint := announcement{mute: true, date: true, wait: true}
	moment := announcement{mute: true, date: true, moment: true}
	for _, c := range []struct {
		name     string
		model    func() ratemodel.Model
		announce announcement
		length   time.Duration
		bar      bar
	}{
		{"300 a minute, Retry-After", func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) }, hint, 20 * time.Minute, bar{refused: .0135, used: .97}},
		{"300 an hour from the first, a date", func() ratemodel.Model {
			m := ratemodel.NewFixed(300, time.Hour)
			m.FromFirst = true
			return m
		}, moment, 5 * time.Hour, bar{refused: .026, used: .98}},
		{"bucket of 5, 5 a second", func() ratemodel.Model { return ratemodel.NewBucket(5, 5, time.Second) }, mute, 20 * time.Minute, bar{refused: .023, used: .985}},
		{"60 a minute, rolling", func() ratemodel.Model { return ratemodel.NewSlidingLog(60, time.Minute) }, mute, 30 * time.Minute, bar{refused: .032, used: .95}},
		{"bucket of 120, 2 a second", func() ratemodel.Model { return ratemodel.NewBucket(120, 120, time.Minute) }, mute, 20 * time.Minute, bar{refused: .08, used: .99}},
		{"bucket of 120, 2 a second, Retry-After", func() ratemodel.Model { return ratemodel.NewBucket(120, 120, time.Minute) }, hint, 20 * time.Minute, bar{refused: .08, used: .99}},
		{"300 a minute, bare", func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) }, mute, 20 * time.Minute, bar{refused: .02, used: .99}},
		{"10 a second, Retry-After", func() ratemodel.Model { return ratemodel.NewFixed(10, time.Second) }, hint, 20 * time.Minute, bar{refused: .024, used: .92}},
		{"25 a second, bare", func() ratemodel.Model { return ratemodel.NewFixed(25, time.Second) }, mute, 20 * time.Minute, bar{refused: .018, used: .95}},
		{"60 a minute weighed, Retry-After", func() ratemodel.Model { return ratemodel.NewSlidingCounter(60, time.Minute) }, hint, 30 * time.Minute, bar{refused: .042, used: .97}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := simulation{model: c.model, announce: c.announce, callers: 20, start: into,
				length: c.length - into, policy: DefaultPolicy(), together: true}
			c.bar.try(t, s)
		})
	}
}

// Wherever in a minute a program begins, its first refusals show that it was a minute.
func TestASilentMinuteIsFoundAtOnce(t *testing.T) {
	for from := 3 * time.Second; from < 54*time.Second; from += 5 * time.Second {
		s := simulation{model: minutes(300), announce: announcement{mute: true, date: true}, callers: 20, start: from,
			length: 5*time.Minute - from, policy: DefaultPolicy(), fastest: latencies[0][0], slowest: latencies[0][1]}
		got := s.run()
		t.Logf("from %v: %v", from, got)
		assert.Equal(t, time.Minute, got.lesson.Length, "from %v", from)
		assert.GreaterOrEqual(t, got.used(), .99, "from %v", from)
		assert.LessOrEqual(t, got.refused, 40, "from %v", from)
	}
}

// A limit of an hour is learned although nothing tells of it, with its length, wherever in the
// hour a program begins. That takes a few tries in each of the first windows.
func TestASilentHourIsLearned(t *testing.T) {
	for seed := range uint64(4) {
		start := into + time.Duration(seed)*11*time.Minute
		s := simulation{model: func() ratemodel.Model { return ratemodel.NewFixed(300, time.Hour) }, announce: announcement{mute: true},
			callers: 20, start: start, length: 6*time.Hour - start, policy: DefaultPolicy(),
			fastest: 45 * time.Millisecond, slowest: 90 * time.Millisecond, seed: seed}
		got := s.run()
		t.Logf("from %v: %v, %v", start, got, got.lesson.Length)
		assert.Equal(t, time.Hour, got.lesson.Length)
		assert.GreaterOrEqual(t, got.used(), .99)
		assert.LessOrEqual(t, got.refused, 150)
	}
}

// However many requests go in a minute, those served lately are counted right.
func TestManySilentRequests(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	s := simulation{model: func() ratemodel.Model { return ratemodel.NewFixed(100, time.Second) }, announce: announcement{mute: true, date: true},
		callers: 20, start: into, length: 10*time.Minute - into, policy: DefaultPolicy(), together: true}
	for _, trip := range latencies {
		s.fastest, s.slowest, s.bare = trip[0], trip[1], false
		got := s.run()
		s.bare = true
		plain := s.run()
		t.Logf("%v\nplain %v", got, plain)
		assert.Greater(t, float64(got.admitted), .95*float64(plain.admitted))
		assert.Less(t, got.refusals(), .015)
	}
}

// Where a short window and a long one are found by refusals alone, some draws are unlucky;
// on average nearly all is used.
func TestTwoSilentWindows(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	s := simulation{model: func() ratemodel.Model {
		return ratemodel.All{ratemodel.NewFixed(10, time.Second), ratemodel.NewFixed(100, time.Minute)}
	}, announce: announcement{mute: true, date: true}, callers: 20, start: into, length: 20*time.Minute - into,
		policy: DefaultPolicy(), together: true}
	for _, trip := range latencies {
		used, refused, least := 0.0, 0.0, 1.0
		const runs = 60
		for seed := range uint64(runs) {
			s.fastest, s.slowest, s.seed = trip[0], trip[1], seed
			got := s.run()
			used += got.used() / runs
			refused += got.refusals() / runs
			least = min(least, got.used())
		}
		t.Logf("trips of %v to %v: used %.3f, at least %.3f, refused %.3f", trip[0], trip[1], used, least, refused)
		assert.Greater(t, used, .97)
		assert.Greater(t, least, .85)
		assert.Less(t, refused, .045)
	}
}

// A client that does not know of any limit runs at the full speed of its callers.
func TestNoLimitIsNotNoticed(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	for _, trip := range latencies {
		s := simulation{model: func() ratemodel.Model { return ratemodel.All{} }, announce: announcement{mute: true},
			callers: 200, start: into, length: time.Minute, policy: DefaultPolicy(), fastest: trip[0], slowest: trip[1]}
		got := s.run()
		s.bare = true
		most := s.run()
		t.Logf("trips of %v to %v: %d of %d", trip[0], trip[1], got.admitted, most.admitted)
		if float64(got.admitted) < .99*float64(most.admitted) || got.stuck {
			t.Error("too slow")
		}
	}
}

// A program that starts again with what it learned before is not refused for it.
func TestLessonsOutliveAProgram(t *testing.T) {
	s := simulation{model: minutes(300), announce: announcement{mute: true, wait: true}, callers: 20, start: into,
		length: 10*time.Minute - into, policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
	cold := s.run()
	s.lesson = &cold.lesson
	s.lesson.Spent = 0 // the minute is over
	warm := s.run()
	t.Logf("first %v\nthen %v, %+v", cold, warm, cold.lesson)
	if cold.lesson.Limit != 300 || cold.lesson.Length != time.Minute {
		t.Errorf("learned %+v", cold.lesson)
	}
	if warm.refused > 3 || warm.used() < .97 {
		t.Error("the lesson is of no use")
	}
}
