package lab

import (
	"flag"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

var update = flag.Bool("update", false, "write what the clients reach to testdata")

// What each client reaches is what the tables say. Of forbear that is exact, so that
// no change makes it worse unnoticed; those of the others who draw lots may differ a
// little from run to run.
func TestLab(t *testing.T) {
	rows, err := Read[Row](RowsFile)
	require.NoError(t, err)
	series, err := Read[Series](SeriesFile)
	require.NoError(t, err)
	l := &lab{want: map[[2]string]Row{}, got: map[[2]string]Row{}, series: map[string]Series{}}
	for _, row := range rows {
		l.want[[2]string{row.Scenario, row.Client}] = row
	}
	for _, s := range series {
		l.series[s.Client] = s
	}
	t.Run("all", func(t *testing.T) {
		for _, s := range Scenarios() {
			for _, c := range s.Clients() {
				t.Run(s.ID+"/"+c.Name, func(t *testing.T) { l.try(t, s, c) })
			}
		}
	})
	if *update && !t.Failed() {
		l.write(t)
	}
}

// A lab holds the results that were, and those that are.
type lab struct {
	want map[[2]string]Row

	mu     sync.Mutex // guards the fields below
	got    map[[2]string]Row
	series map[string]Series
}

func (l *lab) try(t *testing.T, s Scenario, c peer.Client) {
	long := s.Span > time.Hour
	switch {
	case *update:
	case chance.Raced && (long || c.Name != peer.Forbear):
		t.Skip("takes too long with the race detector, which looks for faults of forbear")
	case long && c.Name != peer.Forbear:
		t.Skip("hours of traffic of the others are only tried to write the tables")
	}
	t.Parallel()
	key := [2]string{s.ID, c.Name}
	row, points := play(t, s, c)
	for draw := 1; draw < draws && s.Drawn && !*update && !near(l.want[key], row); draw++ {
		row, points = play(t, s, c) // one draw in thirty is far from the others
	}
	t.Logf("refused %.2f %% of %d, used %.2f %%, failed %d, p50 %d ms, p99 %d ms, half time %d and %d",
		100*row.RefusedShare(), row.Requests, 100*row.UsedShare(), row.Failed, row.P50, row.P99, row.HalfLeast, row.HalfMedian)
	l.mu.Lock()
	l.got[key] = row
	if s.ID == Pictured {
		l.series[c.Name] = NewSeries(c.Name, points)
	}
	l.mu.Unlock()
	if !*update {
		compare(t, s, l.want[key], row)
	}
}

// draws is how often a scenario is tried whose results depend on what clients draw.
const draws = 3

func play(t *testing.T, s Scenario, c peer.Client) (row Row, points []Point) {
	synctest.Test(t, func(t *testing.T) {
		var err error
		row, points, err = Run(t.Context(), s, c)
		require.NoError(t, err)
	})
	return row, points
}

// compare fails a test when a row is not what it was.
func compare(t *testing.T, s Scenario, want, got Row) {
	if got.Client == peer.Forbear && !s.Drawn {
		assert.Equal(t, want, got)
		return
	}
	assert.True(t, near(want, got), "want about %+v, got %+v", want, got)
}

// near reports whether a row is about what it was.
func near(want, got Row) bool {
	most := .03 // how far a share may be from what it was
	if got.Client == peer.Forbear {
		most = .01
	}
	return want.Possible == got.Possible && math.Abs(want.RefusedShare()-got.RefusedShare()) <= most &&
		math.Abs(want.UsedShare()-got.UsedShare()) <= most
}

// write writes the results; those that were not tried stay as they were.
func (l *lab) write(t *testing.T) {
	var rows []Row
	var series []Series
	for _, s := range Scenarios() {
		for _, c := range s.Clients() {
			key := [2]string{s.ID, c.Name}
			row, tried := l.got[key]
			if !tried {
				row = l.want[key]
			}
			rows = append(rows, row)
			if s.ID == Pictured {
				series = append(series, l.series[c.Name])
			}
		}
	}
	require.NoError(t, Write(RowsFile, rows))
	require.NoError(t, Write(SeriesFile, series))
}
