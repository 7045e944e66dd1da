package limit

import (
	"archive/zip"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eachZone calls f for every time zone that Go knows, but once for those that are the same.
func eachZone(t *testing.T, f func(*time.Location)) {
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no Go to ask for its time zones: %v", err)
	}
	r, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("no list of time zones: %v", err)
	}
	defer r.Close()
	seen := map[string]bool{}
	for _, x := range r.File {
		if strings.HasSuffix(x.Name, "/") {
			continue
		}
		c, err := x.Open()
		require.NoError(t, err)
		data, err := io.ReadAll(c)
		require.NoError(t, err)
		require.NoError(t, c.Close())
		if seen[string(data)] {
			continue
		}
		seen[string(data)] = true
		zone, err := time.LoadLocationFromTZData(x.Name, data)
		require.NoError(t, err, x.Name)
		f(zone)
	}
	require.Greater(t, len(seen), 200)
}

// A clockChange is a moment at which the clock of a zone is set.
type clockChange struct{ before, after, at int } // offsets, and seconds of the day in UTC

// eachChange calls f for every change of the clock of every zone in ten years, but once for those that
// differ by their day only.
func eachChange(t *testing.T, f func(zone *time.Location, at time.Time)) {
	seen := map[clockChange]bool{}
	eachZone(t, func(zone *time.Location) {
		from := time.Date(2016, 1, 1, 12, 0, 0, 0, time.UTC).In(zone)
		for at := zoneEnd(from); !at.IsZero() && at.Year() <= 2026; at = zoneEnd(at) {
			_, before := at.Add(-1).Zone()
			_, after := at.Zone()
			c := clockChange{before, after, int(at.Unix() % (24 * 60 * 60))}
			if before != after && !seen[c] {
				seen[c] = true
				f(zone, at)
			}
		}
	})
	require.Greater(t, len(seen), 50)
}

func TestAlignedWindowsTileTheTimeInEveryZone(t *testing.T) {
	const day = 24 * time.Hour
	eachChange(t, func(zone *time.Location, change time.Time) {
		for _, per := range []time.Duration{day, 8 * time.Hour, time.Hour, 45 * time.Minute} {
			q := Per(1, per).FixedWindow(zone)
			l := newFixedWindow(&q)
			n := 0
			for at := change.Add(-30 * time.Hour); at.Before(change.Add(30 * time.Hour)); n++ {
				start, end := l.window(at)
				if n > 0 {
					assert.True(t, start.Equal(at), "%v, %v: a window ends at %v, the next begins at %v", zone, per, at, start)
				}
				assert.True(t, !at.Before(start) && at.Before(end), "%v, %v: %v is not between %v and %v", zone, per, at, start, end)
				again, _ := l.window(end.Add(-1))
				assert.True(t, again.Equal(start), "%v, %v: the window of %v begins at %v at its end", zone, per, start, again)
				if per < day {
					assert.LessOrEqual(t, end.Sub(start), per, "%v at %v", zone, start)
				} else {
					assert.Less(t, (end.Sub(start) - day).Abs(), 3*time.Hour+time.Nanosecond, "%v at %v", zone, start)
					assert.NotEqual(t, start.Day(), start.Add(-1).In(zone).Day(), "%v: a day begins at %v", zone, start)
				}
				if t.Failed() {
					t.FailNow()
				}
				at = end
			}
			want := int(60*time.Hour/per) + 1
			assert.InDelta(t, want, n, 6, "%v, %v: windows around %v", zone, per, change)
		}
	})
}

func TestAlignedQuotasHoldInEveryZone(t *testing.T) {
	const n = 3
	eachChange(t, func(zone *time.Location, change time.Time) {
		for _, q := range []Quota{PerDay(n), PerHour(n), Per(n, 90*time.Minute)} {
			q = q.FixedWindow(zone).Slack(0)
			l := newFixedWindow(&q)
			sent := map[int64]int{} // by the start of the window
			for at := change.Add(-26 * time.Hour); at.Before(change.Add(26 * time.Hour)); at = at.Add(11 * time.Minute) {
				for range n + 1 {
					r := Demand{}
					if a := l.Ask(at, r); !a.Admits(at) {
						assert.True(t, a.At.After(at))
						break
					}
					l.Take(at, r)
					l.Done(at, at, r)
					start, _ := l.window(at)
					sent[start.UnixNano()]++
				}
			}
			for start, went := range sent {
				require.LessOrEqual(t, went, n, "%v, %v: window of %v", zone, q, time.Unix(0, start).In(zone))
			}
			days := int(52*time.Hour/q.per) + 1
			require.InDelta(t, days*n, len(sent)*n, 4*n, "%v, %v: around %v", zone, q, change)
		}
	})
}

// What is forecast is never later than what happens.
func TestForecastsOfAlignedQuotasAreNotTooLate(t *testing.T) {
	eachChange(t, func(zone *time.Location, change time.Time) {
		for _, q := range []Quota{PerDay(1), PerHour(1), Per(1, 8*time.Hour)} {
			q = q.FixedWindow(zone).Slack(0)
			l := newFixedWindow(&q)
			now := change.Add(-30 * time.Hour)
			l.Take(now, Demand{})
			_, at := l.window(now)
			for ahead := range 3 {
				forecast := l.Forecast(now, ahead, Demand{}).At
				require.False(t, forecast.After(at), "%v, %v: forecast %v, and it goes at %v", zone, q, forecast, at)
				_, at = l.window(at)
			}
		}
	})
}
