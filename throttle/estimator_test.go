package throttle

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// After an hour's window of ten was met once, and all that was in flight then was refused, its
// length and limit are known.
func TestAWindowIsLearnedFromOneCongestion(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), header.Reading{})
	for range 9 {
		s.hears(.3, s.goes(.2), header.Reading{})
	}
	refused := []int{s.goes(.4)}
	for i := range 8 {
		refused = append(refused, s.goes(.46+.004*float64(i)))
	}
	for _, i := range refused {
		s.hears(.5, i, refusal(3600*time.Second-400*time.Millisecond))
	}
	assert.Zero(t, s.k.Lesson(at(1)).Limit, "the lesson is drawn when it opens again")
	assert.Zero(t, s.k.Lesson(at(1)).Rate)
	s.hears(3700.1, s.goes(3700), header.Reading{})
	l := s.k.Lesson(at(3701))
	assert.Equal(t, 10, l.Limit)
	assert.Equal(t, time.Hour, l.Length)
	assert.Equal(t, 1, l.Spent)
}

// One lone refusal may be that of a server that sheds load, also if it names a wait. If
// there is a limit, as many requests are admitted before the next ones.
func TestALoneRefusalIsNoWindow(t *testing.T) {
	s := newScript(t, plain())
	now := .1
	for range 20 {
		s.hears(now+.05, s.goes(now), header.Reading{})
		now += .1
	}
	for hour := range 3 {
		s.hears(now+.05, s.goes(now), refusal(3600*time.Second))
		now += 3601
		s.hears(now+.05, s.goes(now), header.Reading{})
		assert.Equal(t, hour == 2, s.k.Lesson(at(now+.1)).Limit > 0, "after %d refusals", hour+1)
		for range 19 {
			now += .1
			s.hears(now+.05, s.goes(now), header.Reading{})
		}
		now += .1
	}
}

// As many responses may report one congestion as were under way: one lesson, and none where those are so few
// that a pace would cost more.
func TestOneCongestionIsOneLesson(t *testing.T) {
	for flying, rate := range map[int]float64{1: 0, 3: 0, 10: 10, 50: 10} {
		s := newScript(t, plain())
		s.hears(.1, s.goes(0), header.Reading{})
		for n := 1; n < 100; n++ {
			now := float64(n) * .1
			s.hears(now+.05, s.goes(now), header.Reading{})
		}
		var refused []int
		for range flying {
			refused = append(refused, s.goes(10))
		}
		for _, i := range refused {
			s.hears(10.1, i, refusal(0))
		}
		s.hears(11.3, s.goes(11.25), header.Reading{})
		assert.InDelta(t, rate, s.k.Lesson(at(11.4)).Rate, 1.5, "%d refusals", flying)
	}
}

// A refusal before anything was admitted teaches nothing but to wait.
func TestAQuotaSpentBeforeWeCameTeachesNothing(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), refusal(time.Hour))
	s.hears(3800.1, s.goes(3800), header.Reading{})
	assert.Equal(t, Lesson{}, s.k.Lesson(at(3801)))
	for n := 1; n <= 16; n *= 2 { // carefully
		first := len(s.tickets)
		for range n {
			s.goes(3802 + float64(n))
		}
		s.waits(3802+float64(n), Learned)
		for i := range n {
			s.hears(3802.1+float64(n), first+i, header.Reading{})
		}
	}
}

// The next one is not refused sooner because of what was refused an hour ago, and
// the server is not hammered to find out.
func TestWhatWasLearnedIsNotForgotten(t *testing.T) {
	s := simulation{model: func() ratemodel.Model { return ratemodel.NewSlidingLog(60, time.Minute) }, announce: announcement{mute: true},
		callers: 20, length: 10 * time.Minute, policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
	short := s.run()
	s.length = 2 * time.Hour
	long := s.run()
	t.Logf("ten minutes: %v\ntwo hours: %v", short, long)
	assert.LessOrEqual(t, long.refused, short.refused+6)
	assert.Greater(t, long.used(), .97)
}

// A limit that was lowered and raised again is found again.
func TestALearnedLimitIsFollowed(t *testing.T) {
	set := func(after time.Duration, n int) change {
		return change{after, func(m ratemodel.Model) { m.(*ratemodel.Fixed).SetLimit(n) }}
	}
	bar{refused: .03, used: .85}.try(t, simulation{model: minutes(300), announce: announcement{mute: true, wait: true}, callers: 20,
		start: into, length: 40*time.Minute - into, policy: DefaultPolicy(),
		changes: []change{set(10*time.Minute-into+time.Second/2, 150), set(20*time.Minute-into+time.Second/2, 400)}})
}

func TestLessonsAreKept(t *testing.T) {
	in := Lesson{Limit: 300, Length: time.Hour, Opens: at(-1800), Fixed: true, Spent: 299, Last: at(-60), Rate: 50}
	text, err := json.Marshal(in)
	require.NoError(t, err)
	var out Lesson
	require.NoError(t, json.Unmarshal(text, &out))
	k, err := New(plain(), epoch)
	require.NoError(t, err)
	require.NoError(t, k.Restore(epoch, out))
	got := k.Lesson(epoch)
	assert.InDelta(t, 50, got.Rate, 1e-9)
	assert.Equal(t, []any{300, time.Hour, true, 299}, []any{got.Limit, got.Length, got.Fixed, got.Spent})
	assert.Equal(t, in.Opens, got.Opens)

	// One is left of the hour, and then nothing before it ends.
	s := &script{t: t, k: k}
	s.hears(.1, s.goes(0), header.Reading{})
	assert.WithinDuration(t, at(1800), s.waits(1, Learned), 3*time.Second)

	assert.NoError(t, k.Restore(epoch, Lesson{Limit: 5, Length: time.Second}), "what was learned here counts more")
	assert.Equal(t, 300, k.Lesson(epoch).Limit)
	fresh, _ := New(plain(), epoch)
	assert.NoError(t, fresh.Restore(epoch, Lesson{}))
	assert.Equal(t, Lesson{}, fresh.Lesson(epoch))
}

func TestImpossibleLessons(t *testing.T) {
	for _, l := range []Lesson{
		{Limit: -1, Length: time.Second}, {Limit: 5}, {Length: -time.Second}, {Limit: 1 << 50, Length: time.Second}, {Spent: -1},
		{Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Limit: 1, Length: math.MaxInt64},
	} {
		k, err := New(plain(), epoch)
		require.NoError(t, err)
		err = k.Restore(epoch, l)
		require.Error(t, err, "%+v", l)
		assert.Regexp(t, "^throttle: ", err.Error())
		assert.Equal(t, Lesson{}, k.Lesson(epoch))
	}
}

// What was under way when the first refusal came was no try whether it is open again.
func TestLateRefusalsDoNotProlongACongestion(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), header.Reading{})
	for n := 1; n < 10; n++ {
		s.hears(float64(n)+.1, s.goes(float64(n)), header.Reading{})
	}
	a, b, c := s.goes(10), s.goes(13), s.goes(13.05)
	s.hears(13.1, a, refusal(0))
	s.hears(16, b, refusal(0))
	s.hears(16, c, refusal(0))
	s.hears(17.1, s.goes(17), header.Reading{})
	l := s.k.Lesson(at(18))
	assert.Zero(t, l.Limit, "%+v", l)
	assert.Positive(t, l.Rate)
}
