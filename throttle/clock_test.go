package throttle

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
func TestDatesNarrowTheOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const offset = 95*second + 123*millisecond
	c := clock{origin: epoch}
	now := instant(0)
	for range 100 {
		there, back := instant(r.Int64N(int64(80*millisecond))), instant(r.Int64N(int64(80*millisecond)))
		date := epoch.Add(time.Duration(now + there + offset)).Truncate(time.Second)
		c.observe(date, now, now+there+back)
		require.True(t, c.offset.earliest <= offset && offset <= c.offset.latest, "%v", c.offset)
		now += instant(r.Int64N(int64(3 * second)))
	}
	assert.Less(t, c.offset.width(), 200*millisecond)
	// A clock that is set: the newest word counts.
	c.observe(epoch.Add(time.Duration(now)).Truncate(time.Second), now, now+100*millisecond)
	assert.True(t, c.offset.earliest <= 0 && 0 <= c.offset.latest)
}

func TestResetsAsInstants(t *testing.T) {
	known := clock{origin: epoch, offset: interval{10 * second, 11 * second}, known: true}
	for _, c := range []struct {
		name string
		c    clock
		r    header.Reset
		want interval
	}{
		{"delay", known, header.Reset{In: 30 * time.Second, Resolution: time.Second}, interval{129 * second, 133 * second}},
		{"moment", known, header.Reset{At: epoch.Add(200 * time.Second), Resolution: time.Second}, interval{188 * second, 191 * second}},
		{"moment, clock not known", clock{origin: epoch}, header.Reset{At: epoch.Add(200 * time.Second), Resolution: time.Second}, interval{198 * second, 202 * second}},
		{"past", known, header.Reset{At: epoch.Add(-time.Hour), Resolution: time.Second}, interval{-3612 * second, -3609 * second}},
	} {
		assert.Equal(t, c.want, c.c.instants(c.r, 100*second, 102*second), c.name)
	}
	// Year 9999, by a clock that is as far off the other way.
	mad := clock{origin: epoch}
	mad.observe(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), 0, second)
	got := mad.instants(header.Reset{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Resolution: 1 << 62}, 0, second)
	assert.Less(t, got.earliest, got.latest)
	assert.Greater(t, got.earliest, instant(0), "it did not overflow into the past")
}

// The short way to subtract times is right wherever it is taken.
func TestMomentsOfTheServer(t *testing.T) {
	moments := []time.Time{
		{}, time.Unix(0, 0), time.Unix(-1, 1), time.Unix(1, 0), epoch, epoch.Add(time.Hour + 1), time.Now(),
		time.Unix(1<<33-1, 1e9-1), time.Unix(1<<33, 0), time.Unix(1<<34, 0), time.Unix(1<<62, 0), time.Unix(-1<<62, 0),
		time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999, time.UTC),
	}
	for _, origin := range moments {
		c := startClock(origin)
		for _, at := range moments {
			at = at.Round(0) // no server tells ours
			assert.Equal(t, bounded(at.Sub(origin)), c.server(at), "%v - %v", at, origin)
		}
	}
}
