package throttle

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/header"
)

// announced returns a throttle that knows so many windows, and a response that tells
// of them.
func announced(t testing.TB, windows int, now time.Time) (*Limiter, *header.Reading) {
	k, err := New(DefaultPolicy(), now)
	require.NoError(t, err)
	var r header.Reading
	for i := range windows {
		r.Windows = append(r.Windows, header.Window{
			Name: string(rune('a' + i)), Limit: known(1e9), Remaining: known(1e9 - 1),
			Reset: header.Reset{In: time.Minute, Resolution: time.Second}, Length: time.Minute,
		})
	}
	return k, &r
}

func TestARequestAllocatesNothing(t *testing.T) {
	if chance.Raced {
		t.Skip("the race detector allocates")
	}
	for _, windows := range []int{0, 1, 3} {
		now := time.Now()
		k, r := announced(t, windows, now)
		once := func() {
			now = now.Add(time.Millisecond)
			k.Ask(now, 1)
			k.Observe(now, k.Take(now, 1), r)
		}
		for range 1 << 14 { // until the log is as long as it gets
			once()
		}
		assert.Zero(t, testing.AllocsPerRun(1000, once), "%d windows", windows)
	}
}

// A throttle that rests is small, beside what it knows of windows.
func TestAtRestAThrottleIsSmall(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(Limiter{}), uintptr(664))
	now := epoch
	k, r := announced(t, 2, now)
	for range 5000 {
		now = now.Add(time.Millisecond)
		k.Observe(now, k.Take(now, 1), r)
	}
	require.False(t, k.windows[0].history.Empty())
	assert.False(t, k.Idle(now), "it was just used")
	assert.True(t, k.Idle(now.Add(time.Hour)))
	assert.True(t, k.windows[0].history.Empty())
	assert.True(t, k.refusals.Empty(), "the server tells all there is to know")

	silent, err := New(DefaultPolicy(), epoch)
	require.NoError(t, err)
	for i := range 5000 {
		at := epoch.Add(time.Duration(i) * time.Millisecond)
		silent.Observe(at, silent.Take(at, 1), &header.Reading{})
	}
	assert.True(t, silent.Idle(epoch.Add(time.Hour)))
	assert.True(t, silent.refusals.Empty())
}

func TestWhatIsKnownIsNotIdle(t *testing.T) {
	s := newScript(t, plain())
	hour := minute(100, 50, 3600)
	hour.Windows[0].Length = time.Hour
	s.hears(1, s.goes(0), hour)
	assert.False(t, s.k.Idle(at(1800)), "the hour is not over")
	assert.True(t, s.k.Idle(at(3*3600)))
	i := s.goes(3 * 3600)
	assert.False(t, s.k.Idle(at(9*3600)), "a request is under way")
	s.hears(3*3600+1, i, refusal(24*time.Hour))
	assert.False(t, s.k.Idle(at(20*3600)), "the refusal holds")
}
