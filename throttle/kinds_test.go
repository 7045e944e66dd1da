package throttle

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// After ten minutes the status of a window says how the server counts.
func TestKindsAreRecognised(t *testing.T) {
	second, minute := time.Second, time.Minute
	for name, c := range map[string]struct {
		model func() ratemodel.Model
		step  time.Duration
		kind  Kind
	}{
		"fixed":   {minutes(60), second, Fixed},
		"log":     {rolling(60), second, Rolling},
		"bucket":  {bucketOf(120, ratemodel.ResetFull), time.Millisecond, Bucket},
		"weighed": {func() ratemodel.Model { return ratemodel.NewSlidingCounter(60, minute) }, second, Weighed},
	} {
		var last Status
		s := simulation{model: c.model, announce: announcement{step: c.step, lengths: true, date: true}, callers: 20, length: 10 * minute,
			policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
		s.watch = func(now time.Duration, k *Limiter) { last = k.Status(epoch.Add(now)) }
		o := s.run()
		assert.Zero(t, o.refused, name)
		require.Len(t, last.Windows, 1, name)
		w := last.Windows[0]
		assert.Equal(t, c.kind, w.Kind, "%s: %+v", name, w)
		assert.True(t, w.Sure, "%s: %+v", name, w)
		assert.True(t, w.Told)
		assert.False(t, w.Others)
		assert.Equal(t, 1., w.Share)
		assert.Greater(t, last.Slowest, last.Fastest)
		assert.GreaterOrEqual(t, last.Fastest, 80*time.Millisecond)
	}
}

func TestStatusOfNothing(t *testing.T) {
	k, err := New(DefaultPolicy(), epoch)
	require.NoError(t, err)
	assert.Equal(t, Status{}, k.Status(epoch))
}

func TestStatusOfWhatWasAnnounced(t *testing.T) {
	s := newScript(t, Policy{Reserve: Requests(2)})
	s.hears(.1, s.goes(0), minute(10, 9, 60))
	s.goes(1)
	st := s.k.Status(at(1))
	require.Len(t, st.Windows, 1)
	w := st.Windows[0]
	assert.Equal(t, []any{"minute", "requests", 10, 6, time.Minute, true, Fixed, false},
		[]any{w.Name, w.Unit, w.Limit, w.Credit, w.Length, w.Told, w.Kind, w.Sure})
	assert.Equal(t, at(1), w.Ready)
	assert.True(t, !w.Earliest.After(at(60)) && !w.Latest.Before(at(60)), "%v", w)
	assert.Equal(t, 1, st.InFlight)
	assert.True(t, st.Hold.IsZero())
	assert.Equal(t, 100*time.Millisecond, st.Fastest)
}

func TestStatusOfWhatWasLearned(t *testing.T) {
	k, err := New(plain(), epoch)
	require.NoError(t, err)
	require.NoError(t, k.Restore(epoch, Lesson{Limit: 300, Length: time.Hour, Spent: 100, Last: at(-1), Rate: 50}))
	st := k.Status(epoch)
	require.Len(t, st.Windows, 2)
	assert.Equal(t, []any{Learned, 300, 200, time.Hour, Rolling}, []any{st.Windows[0].Name, st.Windows[0].Limit, st.Windows[0].Credit, st.Windows[0].Length, st.Windows[0].Kind})
	assert.Equal(t, []any{Learned, -1, Rate}, []any{st.Windows[1].Name, st.Windows[1].Limit, st.Windows[1].Kind})
	assert.InDelta(t, 50, st.Windows[1].Rate, 1e-9)
}

// The log is no ground for a window in which more was counted than it holds.
func TestALogThatExplainsNothingIsNotTrusted(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(10, 2, 60)) // seven were spent before we came
	v := s.k.windows[0].view(s.k, second)
	room, probe := s.k.windows[0].kind.Ready(&v.View, 1)
	assert.Equal(t, never, room)
	assert.Greater(t, probe, 60*second)
	s.goes(.2)
	s.goes(.2)
	s.waits(.2, "minute")
}

// An API that announces one limit and enforces another beside it is learned too.
func TestALimitBesideTheAnnouncedOnes(t *testing.T) {
	s := simulation{model: func() ratemodel.Model {
		hour := ratemodel.NewFixed(100000, time.Hour)
		hour.Name = "hour"
		return ratemodel.All{hour, hidden{ratemodel.NewFixed(300, time.Minute)}}
	}, announce: announcement{step: time.Second, lengths: true, wait: true}, callers: 20, start: into, length: 20*time.Minute - into, policy: DefaultPolicy()}
	bar{refused: .02, used: .95}.try(t, s)
}

// hidden is a model that tells nothing of itself.
type hidden struct{ ratemodel.Model }

func (hidden) Windows(dst []ratemodel.Window, _ time.Time) []ratemodel.Window { return dst }

// A length that is only guessed, from what was left of a longer window or from the next
// token of a bucket, recognises no weighed counts.
func TestNoCounterOfAGuessedLength(t *testing.T) {
	for seed, name := range map[uint64]string{520: "fixed, fine resets", 1017: "bucket, reset of the next"} {
		i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
		_, refused := families[i].use(1, seed)
		assert.Zero(t, refused, name)
	}
}
