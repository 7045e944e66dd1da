package throttle

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// dice draws choices from the bytes of a fuzzer.
type dice struct{ data []byte }

func (d *dice) roll(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

func pick[T any](d *dice, from ...T) T { return from[d.roll(len(from))] }

func (d *dice) count() header.Count {
	return header.Count{
		State: pick(d, header.Known, header.Known, header.Absent, header.Malformed, header.Unlimited),
		Value: pick(d, 0, 1, 2, 10, 100, 1e6, 1e18, math.MaxFloat64, math.Inf(1), math.NaN(), -1, -1e18, .5),
	}
}

func (d *dice) duration() time.Duration {
	return pick[time.Duration](d, 0, 1, time.Millisecond, time.Second, time.Minute, time.Hour, 366*24*time.Hour, math.MaxInt64, math.MinInt64, -time.Second)
}

func (d *dice) moment(now time.Time) time.Time {
	return pick(d, time.Time{}, now.Add(time.Second), now.Add(time.Minute), now.Add(-time.Hour), now.Add(48*time.Hour),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Unix(1<<55, 0))
}

func (d *dice) reset(now time.Time) header.Reset {
	return header.Reset{At: d.moment(now), In: d.duration(), Resolution: d.duration()}
}

func (d *dice) reading(now time.Time) *header.Reading {
	r := &header.Reading{Refused: d.roll(4) == 0, Stale: d.roll(16) == 0, Date: d.moment(now)}
	for range d.roll(4) {
		r.Windows = append(r.Windows, header.Window{
			Name: pick(d, "a", "b", ""), Unit: pick(d, "requests", "", "concurrent-requests", "fraction"),
			Limit: d.count(), Remaining: d.count(), Reset: d.reset(now), Length: d.duration(),
		})
	}
	if d.roll(2) == 0 {
		r.Wait = header.Wait{Reset: d.reset(now), Delay: d.duration(), Explicit: d.roll(2) == 0}
	}
	return r
}

// Whatever a server says, nothing panics or overflows, no wait is without end, and
// none ends before the time that a refusal named, unless the server may shed load.
func FuzzHostileServers(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Add([]byte{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5, 0, 2, 8, 8})
	f.Add([]byte("00100102010010000000012201000007z010102110200000000000000000000000000A010201000007701")) // it sheds load
	f.Fuzz(hostile)
}

// hostile drives a throttle as the bytes say.
func hostile(t *testing.T, data []byte) {
	d := &dice{data}
	now := epoch
	k, err := New(Policy{
		Threshold: pick(d, Amount{}, Share(0.1), Share(1), Requests(math.MaxInt)),
		Reserve:   pick(d, Amount{}, Amount{}, Share(.5), Requests(math.MaxInt)),
	}, now)
	require.NoError(t, err)
	k.random.Seed(1, 2)
	if d.roll(3) == 0 {
		_ = k.Restore(now, Lesson{Limit: pick(d, 0, 1, 1000, -1, lessonLimit), Length: d.duration(), Spent: pick(d, 0, 5, 1<<30),
			Last: d.moment(now), Opens: d.moment(now), Fixed: d.roll(2) == 0, Rate: pick(d, 0, 1e-300, 1, 1e9, math.NaN(), -1), Seen: d.moment(now), Confirmed: pick(d, 0, 1, -1, math.MaxInt),
			ClockMin: d.duration(), ClockMax: d.duration(), Windows: []AnnouncedWindow{
				{Name: pick(d, "a", "", Refusal), Limit: pick(d, 0, 1, 100, -1), Remaining: pick(d, 0, 1, 100, -1), Reset: d.moment(now)},
				{Name: "b", Unit: pick(d, "", "concurrent-requests"), Limit: pick(d, 1, 0, 5), Length: d.duration(), Reset: d.moment(now)},
			}})
	}
	var flying []Reservation
	var until, derived time.Time                                  // the latter from resets alone, until a request is served
	for len(d.data) > 0 && now.Before(epoch.AddDate(100, 0, 0)) { // no program runs for longer
		now = now.Add(pick[time.Duration](d, 0, 1, time.Millisecond, time.Second, time.Minute, time.Hour, 30*24*time.Hour))
		cost := pick(d, 1, 1, 1, 0, -1, 100, math.MaxInt)
		a := k.Ask(now, cost)
		require.Equal(t, a, k.Ask(now, cost), "asking changes nothing")
		switch {
		case a.Max > 0:
		case a.Limit == "":
			require.Equal(t, now, a.At)
			test := k.dueTest(k.instant(now), units(cost)) <= k.instant(now)
			require.False(t, now.Before(until) || now.Before(derived) && !test, "it goes before the server's time")
			flying = append(flying, k.Take(now, cost))
		case a.At.IsZero():
			require.NotEmpty(t, flying, "nothing is under way whose answer could end the wait: %+v", k.Status(now))
		default:
			require.True(t, a.At.After(now), "%v at %v: %+v", a, now, k.Status(now))
			require.False(t, a.At.Before(until) || a.At.Before(derived), "the wait is shorter than the server's")
			require.True(t, a.At.Before(now.Add(110*365*24*time.Hour)), "%v", a)
		}
		s := k.Status(now)
		require.GreaterOrEqual(t, s.InFlight, 0)
		if len(flying) == 0 || d.roll(3) == 0 {
			continue
		}
		i := d.roll(len(flying))
		ticket := flying[i]
		flying = append(flying[:i], flying[i+1:]...)
		switch d.roll(8) {
		case 0:
			k.Abandon(now, ticket)
			now = now.Add(time.Hour)
		case 1:
			k.Cancel(ticket)
		default:
			r := d.reading(now)
			k.Observe(now, ticket, r)
			if !r.Refused && !r.Stale {
				derived = time.Time{}
			}
			if named := now.Add(r.Wait.Delay); r.Refused && !r.Stale && r.Wait.Known() && r.Wait.Delay > 0 && r.Wait.Delay < 101*365*24*time.Hour && named.After(until) {
				if r.Wait.Explicit {
					until = named
				} else {
					derived = named
				}
			}
		}
		if k.refusals.Sheds() || k.refusals.TestReady(k.instant(now), never/2) < never {
			until, derived = time.Time{}, time.Time{} // the wait of a server that sheds load, or may do so, holds the refused request alone
		}
		k.Lesson(now)
		k.Idle(now)
	}
}

func TestHostileServers(t *testing.T) {
	skipUnderRace(t)
	r := rand.New(rand.NewPCG(9, 9))
	for range 3000 {
		data := make([]byte, r.IntN(400))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		hostile(t, data)
	}
}
