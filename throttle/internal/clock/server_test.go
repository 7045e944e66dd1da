package clock

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// Dates are cut to the second, and yet bound the offset of a clock to less than a
// tenth of one after some of them.
var epoch = time.Unix(1_800_000_000, 0)

func TestDatesNarrowTheOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const offset = 95*Second + 123*Millisecond
	c := Server{Origin: epoch}
	now := Instant(0)
	for range 100 {
		there, back := Instant(r.Int64N(int64(80*Millisecond))), Instant(r.Int64N(int64(80*Millisecond)))
		date := epoch.Add(time.Duration(now + there + offset)).Truncate(time.Second)
		c.Observe(date, now, now+there+back)
		require.True(t, c.Offset.Earliest <= offset && offset <= c.Offset.Latest, "%v", c.Offset)
		now += Instant(r.Int64N(int64(3 * Second)))
	}
	assert.Less(t, c.Offset.Width(), 200*Millisecond)
	// A clock that is set: the newest word counts.
	c.Observe(epoch.Add(time.Duration(now)).Truncate(time.Second), now, now+100*Millisecond)
	assert.True(t, c.Offset.Earliest <= 0 && 0 <= c.Offset.Latest)
}

func TestTurn(t *testing.T) {
	c := Start(time.Unix(1_800_000_000+17, 0)) // 17 s into a minute
	for _, now := range []Instant{0, 41 * Second, 103*Second - 1001*Millisecond} {
		next := 43 * Second
		if now > 42*Second {
			next += 60 * Second
		}
		turn, ok := c.Turn(now, 60*Second)
		assert.True(t, ok)
		assert.Equal(t, Interval{next - Second, next + Second}, turn, "both clocks agree to a second")
	}
	turn, _ := c.Turn(42*Second, 60*Second)
	assert.Equal(t, 103*Second, turn.Earliest+Second, "the server's minute may be over")

	c.Offset, c.Known = Interval{10 * Second, 11 * Second}, true
	turn, _ = c.Turn(0, 60*Second)
	assert.Equal(t, Interval{32 * Second, 33 * Second}, turn)
	turn, _ = c.Turn(0, 60*60*Second)
	assert.Equal(t, Interval{3572 * Second, 3573 * Second}, turn)

	c = Start(time.Time{})
	_, ok := c.Turn(0, 60*Second)
	assert.False(t, ok)
}

func TestResetsAsInstants(t *testing.T) {
	known := Server{Origin: epoch, Offset: Interval{10 * Second, 11 * Second}, Known: true}
	for _, c := range []struct {
		name string
		c    Server
		r    header.Reset
		want Interval
	}{
		{"delay", known, header.Reset{In: 30 * time.Second, Resolution: time.Second}, Interval{129 * Second, 133 * Second}},
		{"moment", known, header.Reset{At: epoch.Add(200 * time.Second), Resolution: time.Second}, Interval{188 * Second, 191 * Second}},
		{"moment, clock not known", Server{Origin: epoch}, header.Reset{At: epoch.Add(200 * time.Second), Resolution: time.Second}, Interval{198 * Second, 202 * Second}},
		{"past", known, header.Reset{At: epoch.Add(-time.Hour), Resolution: time.Second}, Interval{-3612 * Second, -3609 * Second}},
	} {
		assert.Equal(t, c.want, c.c.Instants(c.r, 100*Second, 102*Second), c.name)
	}
	// Year 9999, by a clock that is as far off the other way.
	mad := Server{Origin: epoch}
	mad.Observe(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), 0, Second)
	got := mad.Instants(header.Reset{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Resolution: 1 << 62}, 0, Second)
	assert.Less(t, got.Earliest, got.Latest)
	assert.Greater(t, got.Earliest, Instant(0), "it did not overflow into the past")
}

// The short way to subtract times is right wherever it is taken.
func TestMomentsOfTheServer(t *testing.T) {
	moments := []time.Time{
		{}, time.Unix(0, 0), time.Unix(-1, 1), time.Unix(1, 0), epoch, epoch.Add(time.Hour + 1), time.Now(),
		time.Unix(1<<33-1, 1e9-1), time.Unix(1<<33, 0), time.Unix(1<<34, 0), time.Unix(1<<62, 0), time.Unix(-1<<62, 0),
		time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999, time.UTC),
	}
	for _, origin := range moments {
		c := Start(origin)
		for _, at := range moments {
			at = at.Round(0) // no server tells ours
			assert.Equal(t, Bounded(at.Sub(origin)), c.server(at), "%v - %v", at, origin)
		}
	}
}
