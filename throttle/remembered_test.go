package throttle

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// restored returns a script whose limiter starts with what s knows at the given time,
// written down and read again.
func (s *script) restored(seconds float64) *script {
	s.t.Helper()
	text, err := json.Marshal(s.k.Lesson(at(seconds)))
	require.NoError(s.t, err)
	var l Lesson
	require.NoError(s.t, json.Unmarshal(text, &l))
	k, err := New(s.k.policy, at(seconds))
	require.NoError(s.t, err)
	require.NoError(s.t, k.Restore(at(seconds), l))
	return &script{t: s.t, k: k}
}

// ask returns the decision about one request at the given time.
func (s *script) ask(seconds float64) limit.Decision { return s.k.Ask(at(seconds), 1) }

func TestAnnouncedWindowsAreRestored(t *testing.T) {
	s := newScript(t, plain())
	s.hears(1.1, s.goes(1), minute(60, 10, 60))
	s.goes(2) // under way, and perhaps counted
	s = s.restored(5)
	require.Len(t, s.k.Status(at(5)).Windows, 1)
	assert.Equal(t, 9, s.k.Status(at(5)).Windows[0].Remaining)
	for range 9 {
		s.goes(5) // together
	}
	s.waits(5, "minute")

	// The answer counts from now on, whatever was remembered.
	s.hears(5.1, 0, minute(1000, 500, 60))
	for range 400 {
		s.goes(5.1)
	}
	assert.Equal(t, 1000, s.k.Status(at(6)).Windows[0].Limit)
	assert.Len(t, s.k.Status(at(6)).Windows, 1)
}

// A window that a plan no longer has holds nothing once the server answered.
func TestRememberedWindowsEndWithTheFirstAnswer(t *testing.T) {
	s := newScript(t, plain())
	s.hears(1.1, s.goes(1), minute(60, 1, 3600))
	s = s.restored(5)
	first := s.goes(5)
	s.waits(5, "minute")
	s.hears(5.1, first, header.Reading{})
	for range 50 {
		s.goes(5.1)
	}
}

// That nothing is left is believed for a minute, and then tried by one request.
func TestASpentWindowIsTried(t *testing.T) {
	s := newScript(t, plain())
	s.hears(1.1, s.goes(1), minute(60, 0, 3600))
	s = s.restored(5)
	d := s.ask(5)
	assert.WithinDuration(t, at(61.1), d.At, time.Millisecond)
	assert.WithinDuration(t, at(3600), d.Until, 3*time.Second)
	assert.True(t, d.Try, "one that cannot wait may go at once")

	try := s.goes(62)
	assert.Equal(t, FirstAnswer, s.ask(62).Limit, "one at a time")
	refused := minute(60, 0, 3600)
	refused.Refused = true
	s.hears(62.1, try, refused)
	s = s.restored(70)
	assert.Equal(t, 1, s.k.remembered.confirmed)
	assert.WithinDuration(t, at(62.1+120), s.ask(70).At, time.Millisecond, "the more rarely")
	assert.False(t, s.ask(70).Try)
	assert.True(t, s.ask(123).Try)

	// A server that serves it was wrong about nothing: everything may go.
	s.hears(183.1, s.goes(183), minute(60, 59, 3600))
	s.goes(184)
	assert.Zero(t, s.k.Lesson(at(184)).Confirmed)
}

// The wait that a refusal asked for is kept over a restart; afterwards what was left counts.
func TestHoldsAreRestored(t *testing.T) {
	s := newScript(t, plain())
	s.hears(1.1, s.goes(1), minute(60, 10, 600))
	s.hears(2.1, s.goes(2), refusal(20*time.Second))
	s = s.restored(5)
	until := s.waits(5, Refusal)
	assert.WithinDuration(t, at(22.1), until, 2*time.Second)
	assert.Equal(t, until, s.k.Status(at(5)).Hold)
	s.goes(24)
	s.goes(24)
}

// All windows count, also those that have reset: a minute that is full again lets only
// a minute's requests go on what is left of an hour.
func TestRememberedWindowsThatReset(t *testing.T) {
	s := newScript(t, plain())
	both := minute(3, 1, 60)
	both.Windows = append(both.Windows, header.Window{
		Name: "hour", Limit: known(100), Remaining: known(50), Reset: header.Reset{At: at(3600), Resolution: time.Second},
	})
	s.hears(1.1, s.goes(1), both)
	s = s.restored(70)
	for range 3 {
		s.goes(70)
	}
	s.waits(70, "minute")

	s = newScript(t, plain())
	s.hears(1.1, s.goes(1), minute(3, 1, 60))
	assert.Empty(t, s.k.Lesson(at(70)).Windows, "it has reset")
	s = newScript(t, plain())
	both.Windows[0].Limit = header.Count{}
	s.hears(1.1, s.goes(1), both)
	s = s.restored(5)
	s.goes(70)
	s.waits(70, FirstAnswer)
}

// A limit without a known reset cannot be kept, and without it the others say too little.
func TestUnknownResetsAreNotKept(t *testing.T) {
	s := newScript(t, plain())
	r := minute(60, 10, 60)
	r.Windows = append(r.Windows, header.Window{Name: "other", Limit: known(5), Remaining: known(2)})
	s.hears(1.1, s.goes(1), r)
	assert.Empty(t, s.k.Lesson(at(2)).Windows)
}

func TestConcurrencyIsRestored(t *testing.T) {
	s := newScript(t, plain())
	r := minute(60, 10, 60)
	r.Windows = append(r.Windows, header.Window{Name: "at once", Unit: concurrentUnit, Limit: known(2), Remaining: known(1)})
	s.hears(1.1, s.goes(1), r)
	s = s.restored(5)
	s.goes(5)
	s.goes(5)
	s.waits(5, "at once")
}

func TestTheReserveOfARememberedWindow(t *testing.T) {
	s := newScript(t, Policy{Reserve: Requests(8)})
	s.hears(1.1, s.goes(1), minute(60, 10, 60))
	s = s.restored(5)
	s.goes(5)
	s.goes(5)
	s.waits(5, "minute")
}

// What refusals taught is a belief, too: a request that is served although it says that
// nothing is left refutes it.
func TestLessonsAreTried(t *testing.T) {
	spent := Lesson{Limit: 100, Length: 24 * time.Hour, Spent: 100, Last: at(-100), Seen: at(-100)}
	for _, served := range []bool{true, false} {
		s := newScript(t, plain())
		require.NoError(t, s.k.Restore(epoch, spent))
		try := s.goes(0)
		s.waits(0, Learned)
		if served {
			s.hears(.1, try, header.Reading{})
			for range 50 {
				s.goes(.2)
			}
			assert.Equal(t, Lesson{}, s.k.Lesson(at(1)))
			continue
		}
		s.hears(.1, try, refusal(0))
		s.waits(30, Learned)
		assert.Equal(t, 1, s.k.Lesson(at(30)).Confirmed)
	}
}

func TestForgottenMemory(t *testing.T) {
	s := newScript(t, plain())
	s.hears(1.1, s.goes(1), minute(60, 0, 3600))
	s = s.restored(5)
	s.k.Forget(at(5))
	s.goes(5)
}

// The clock of the server is known at once, but only as far as its first date agrees.
func TestClocksAreRestored(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), minute(60, 10, 60))
	s.hears(.95, s.goes(.9), minute(60, 9, 60))
	l := s.k.Lesson(at(1))
	require.Positive(t, l.ClockMax-l.ClockMin)
	s = s.restored(1)
	s.hears(1.2, s.goes(1.1), minute(60, 8, 60))
	assert.LessOrEqual(t, s.k.clock.Offset.Latest, instant(l.ClockMax))

	l.ClockMin, l.ClockMax = time.Hour, 2*time.Hour
	far := newScript(t, plain())
	require.NoError(t, far.k.Restore(epoch, l))
	far.hears(.1, far.goes(0), header.Reading{})
	assert.Less(t, far.k.clock.Offset.Latest, 2*second)
}

// FuzzLessons checks that no memory, however damaged or hostile, keeps requests for longer
// than ten minutes that a server would serve, and that the first answer ends its reign.
func FuzzLessons(f *testing.F) {
	f.Add([]byte(`{"limit":300,"length":3600000000000,"opens":"2020-01-01T00:00:00Z","fixed":true,"spent":299,"rate":50}`))
	f.Add([]byte(`{"windows":[{"name":"minute","limit":60,"remaining":0,"reset":"2026-03-02T00:30:00Z"}],"seen":"2026-03-02T00:00:00Z","confirmed":9}`))
	f.Add([]byte(`{"windows":[{"unit":"concurrent-requests","limit":1},{"name":"refusal","reset":"2026-03-03T00:00:00Z"},{"remaining":-1}]}`))
	f.Add([]byte(`{"limit":1,"length":31622400000000000,"spent":1,"last":"2026-03-02T00:00:00Z","rate":1e-300,"clock_min":-5,"clock_max":9}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var l Lesson
		if json.Unmarshal(text, &l) != nil {
			return
		}
		k, err := New(plain(), epoch)
		require.NoError(t, err)
		k.random.Seed(1, 2)
		_ = k.Restore(epoch, l)
		k.Status(epoch)
		var flying []Reservation
		now := epoch
		for range 100 {
			d := k.Ask(now, 1)
			if d.Limit != "" {
				break
			}
			flying = append(flying, k.Take(now, 1))
		}
		if len(flying) == 0 {
			d := k.Ask(now, 1)
			require.False(t, d.At.IsZero(), "%+v", d)
			require.LessOrEqual(t, d.At.Sub(now), 10*time.Minute, "%+v", d)
			now = d.At
			require.Empty(t, k.Ask(now, 1).Limit)
			flying = append(flying, k.Take(now, 1))
		}
		again := k.Lesson(now)
		if !again.IsZero() {
			_, err := json.Marshal(again)
			require.NoError(t, err, "%+v", again)
			fresh, err := New(plain(), now)
			require.NoError(t, err)
			assert.NoError(t, fresh.Restore(now, again), "what a limiter returns is possible")
		}
		now = now.Add(time.Second)
		for _, r := range flying {
			k.Observe(now, r, &header.Reading{})
		}
		assert.False(t, k.remembered.counts())
	})
}
