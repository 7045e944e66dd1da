package lab

import (
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// bare is a client that does nothing.
var bare = peer.Client{Name: "bare", New: func(s peer.Setting) (http.RoundTripper, error) { return s.Base, nil }}

// The same run has the same result, and what it counts is what happened.
func TestRun(t *testing.T) {
	s := Scenario{ID: "test", Server: serve(fixed(60), xRateLimit), Span: 2 * time.Minute, Callers: 5}
	var rows []Row
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			row, points, err := Run(t.Context(), s, bare)
			require.NoError(t, err)
			refused := 0
			for i, p := range points {
				assert.GreaterOrEqual(t, p.At, points[max(0, i-1)].At)
				if p.Refused {
					refused++
				}
			}
			assert.Len(t, points, row.Requests)
			assert.Equal(t, row.Refused, refused)
			rows = append(rows, row)
		})
	}
	assert.Equal(t, rows[0], rows[1])
	row := rows[0]
	assert.Equal(t, 120, row.Possible)
	assert.Equal(t, 120, row.Admitted)
	assert.Equal(t, row.Requests, row.Admitted+row.Refused)
	assert.InDelta(t, row.Refused, row.Failed, 5) // the last of each caller may be cut off
	assert.Positive(t, row.Failed)
	assert.InDelta(t, 120, row.P50, 40)
	assert.InDelta(t, 24, row.HalfMedian, 2) // a fifth of both windows, the second of which is open by then
	assert.LessOrEqual(t, row.HalfLeast, row.HalfMedian)
}

// Arrivals that must wait are served in their order, as early as they may.
func TestServeArrivals(t *testing.T) {
	start := time.Unix(0, 0)
	at := []time.Duration{0, 0, 0, 70 * time.Second, 100 * time.Second}
	assert.Equal(t, 5, serveArrivals(ratemodel.NewFixed(2, time.Minute), start, start.Add(3*time.Minute), at))
	assert.Equal(t, 4, serveArrivals(ratemodel.NewFixed(2, time.Minute), start, start.Add(2*time.Minute), at))
	assert.Equal(t, 2, serveArrivals(ratemodel.NewFixed(2, time.Minute), start, start.Add(time.Minute), at))
}

// Every process and every key has a client of its own, where one does not tell keys
// apart.
func TestSenders(t *testing.T) {
	made := 0
	c := peer.Client{Name: "counted", New: func(s peer.Setting) (http.RoundTripper, error) {
		made++
		return s.Base, nil
	}}
	r := &run{Scenario: Scenario{Keys: []string{"a", "b", "c"}, Processes: 2}, client: c}
	all, err := r.senders(http.DefaultTransport)
	require.NoError(t, err)
	assert.Len(t, all, 6)
	assert.Equal(t, 6, made)
	made, r.client.Keyed = 0, true
	_, err = r.senders(http.DefaultTransport)
	require.NoError(t, err)
	assert.Equal(t, 2, made)
}

func TestQuantile(t *testing.T) {
	waits := []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond, 4 * time.Millisecond}
	assert.Equal(t, 2, quantile(waits, .5))
	assert.Equal(t, 4, quantile(waits, .99))
	assert.Zero(t, quantile(nil, .5))
}

func TestSeries(t *testing.T) {
	s := NewSeries("a", []Point{{At: 0}, {At: time.Second, Refused: true}, {At: 1900 * time.Millisecond}, {At: PicturedFor}})
	assert.Equal(t, []int{1, 1, 0}, s.Admitted[:3])
	assert.Equal(t, []int{0, 1, 0}, s.Refused[:3])
}

func TestReadWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.json")
	want := []Row{{Scenario: "a", Requests: 1}, {Scenario: "b", Failed: 2}}
	require.NoError(t, Write(file, want))
	got, err := Read[Row](file)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	_, err = Read[Row](filepath.Join(t.TempDir(), "none"))
	assert.Error(t, err)
}

func TestVersions(t *testing.T) {
	versions, err := Versions("go.mod")
	require.NoError(t, err)
	for _, c := range peer.All() {
		if c.Module != "" {
			assert.Regexp(t, `^v\d`, versions[c.Module], c.Name)
		}
	}
}
