package header

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a Reader remembers changes nothing of what it reads.
func TestReaderReadsTheSame(t *testing.T) {
	for _, s := range loadCorpus(t) {
		rd := s.reader(t)
		var first, again Reading
		rd.Read(&first, s.Status, s.header(), nil, s.Now)
		for range 3 {
			rd.Read(&again, s.Status, s.header(), nil, s.Now)
			require.Equal(t, said(&first), said(&again), s.ID)
		}
	}
}

// The quick way and the long way read the same.
func TestQuickReadsTheSame(t *testing.T) {
	quick := 0
	for _, s := range loadCorpus(t) {
		var r, long Reading
		r.begin(s.Status, s.Now)
		r.scan(s.header())
		if !r.quick() {
			continue
		}
		quick++
		r.Windows = r.Windows[:0]
		r.finish(nil)
		long.begin(s.Status, s.Now)
		long.scan(s.header())
		long.periods = []Period{} // rules the quick way out
		long.finish(nil)
		require.Equal(t, said(&long), said(&r), s.ID)
	}
	assert.Greater(t, quick, 40)
}

// Fields that a host adds, drops or exchanges are noticed.
func TestReaderNotices(t *testing.T) {
	rd := new(Reader)
	var r Reading
	read := func(h http.Header) []Window {
		rd.Read(&r, http.StatusOK, h, nil, benchNow)
		return r.Windows
	}
	plain := typical()
	limited := typical("X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "3")
	for range 3 {
		assert.Empty(t, read(plain))
		require.Len(t, read(limited), 1)
	}

	more := typical("X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "3", "X-RateLimit-Reset", "5")
	require.Len(t, read(more), 1)
	assert.True(t, r.Windows[0].Reset.Known(), "a field was added")

	less := typical("X-RateLimit-Remaining", "2", "X-Other", "1")
	require.Len(t, read(less), 1)
	assert.Equal(t, 2.0, r.Windows[0].Remaining.Value, "a field was dropped, and one of no interest added")
	assert.Equal(t, Absent, r.Windows[0].Limit.State)

	rd = new(Reader)
	assert.Len(t, read(limited), 1)
	other := typical("X-RateLimit-Remaining", "2", "X-RateLimit-Reset", "9")
	require.Len(t, read(other), 1)
	assert.True(t, r.Windows[0].Reset.Known(), "one field of limits made way for another one")
	assert.Equal(t, Absent, r.Windows[0].Limit.State)

	// One field of no interest made way for one that tells of a limit. That is
	// the one change that can be overlooked, for twice as many responses as there are fields.
	assert.Empty(t, read(plain))
	swapped := typical("X-RateLimit-Remaining", "0")
	swapped.Del("Etag")
	seen := 0
	for range 2 * len(swapped) {
		seen += len(read(swapped))
	}
	assert.Positive(t, seen)
	assert.Len(t, read(swapped), 1, "and then no more")

	// On a refusal nothing is left to memory.
	assert.Empty(t, read(plain))
	rd.Read(&r, http.StatusTooManyRequests, swapped, nil, benchNow)
	assert.Len(t, r.Windows, 1)
}

// A field about limits that takes the place of any other one is noticed soon, whether a Reading
// is new, used again, or used for several hosts in turn.
func TestReaderNoticesSoon(t *testing.T) {
	for fields := 1; fields < maxShape; fields++ {
		for place := range fields {
			plain, swapped := http.Header{}, http.Header{"X-Ratelimit-Remaining": {"0"}}
			for i := range fields {
				name := fmt.Sprintf("X-Other-%d", i)
				plain.Set(name, "1")
				if i != place {
					swapped.Set(name, "1")
				}
			}
			for hosts, most := range []int{2 * fields, 2 * fields, 3 * fields, 3 * fields} {
				used, readers := new(Reading), make([]Reader, max(1, hosts))
				reading := func() *Reading {
					if hosts == 0 {
						return new(Reading)
					}
					return used
				}
				for i := range readers {
					readers[i].Read(used, http.StatusOK, plain, nil, benchNow)
				}
				n := 0
				for found := false; !found && n <= most; n++ {
					for i := range readers {
						r := reading()
						readers[i].Read(r, http.StatusOK, swapped, nil, benchNow)
						found = i == 0 && len(r.Windows) > 0 || found
					}
				}
				require.LessOrEqual(t, n, most, "field %d of %d, %d hosts", place, fields, hosts)
			}
		}
	}
}

// An answer of the same shape whose value is gone is read in full.
func TestReaderEmptyValues(t *testing.T) {
	var rd Reader
	var r Reading
	h := typical("X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "3")
	rd.Read(&r, http.StatusOK, h, nil, benchNow)
	h["X-Ratelimit-Remaining"] = nil
	rd.Read(&r, http.StatusOK, h, nil, benchNow)
	require.Len(t, r.Windows, 1)
	assert.Equal(t, Absent, r.Windows[0].Remaining.State)
}

func TestReaderConcurrent(t *testing.T) {
	var rd Reader
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			var r Reading
			for i := range 300 {
				left := fmt.Sprint(g*1000 + i)
				h := typical("X-RateLimit-Limit", "9000", "X-RateLimit-Remaining", left)
				if i%3 == 0 {
					h.Set(fmt.Sprintf("X-Extra-%d", i%7), "1")
				}
				rd.Read(&r, http.StatusOK, h, nil, benchNow)
				if len(r.Windows) != 1 || fmt.Sprint(r.Windows[0].Remaining.Value) != left {
					t.Errorf("read %v, want %s left", r.Windows, left)
				}
			}
		})
	}
	wg.Wait()
}

// The order of a map decides nothing, also where a field fits two windows.
func TestOrder(t *testing.T) {
	h := headerOf("RateLimit-Limit", "60", "RateLimit-Remaining", "59", "RateLimit-Reset", "17",
		"X-RateLimit-Limit-Minute", "60", "X-RateLimit-Remaining-Minute", "59",
		"X-RateLimit-Limit-Hour", "60", "X-RateLimit-Remaining-Hour", "59")
	var r Reading
	r.Read(http.StatusOK, h, nil, benchNow)
	first := said(&r)
	for range 200 {
		r.Read(http.StatusOK, h, nil, benchNow)
		require.Equal(t, first, said(&r))
	}
}

func TestReadingIsUsedAgain(t *testing.T) {
	var r Reading
	r.Read(http.StatusTooManyRequests, headerOf("Retry-After", "5", "X-RateLimit-Remaining", "0", "Age", "3"), []byte(`{"x":1}`), benchNow)
	require.True(t, r.Refused && r.Stale && r.Wait.Known() && len(r.Windows) == 1)
	r.Read(http.StatusOK, http.Header{}, nil, benchNow.Add(time.Hour))
	assert.Equal(t, Reading{Windows: []Window{}}, said(&r))
}

// What comes in a known shape is read as if it had never been seen, whatever the
// values are this time.
func TestReaderKnowsTheShapeAlone(t *testing.T) {
	values := []string{"", "0", "7", "100", "42000", "1772370000", "1772370000000", "99999999999999999", "-1", "6m0s", "1.5", "100, 50", "soon"}
	r := rand.New(rand.NewPCG(3, 4))
	for _, names := range [][]string{
		{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Used", "X-RateLimit-Reset", "Age", "X-Cache"},
		{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Used", "X-RateLimit-Reset-Ms"},
		{"X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute", "X-RateLimit-Reset-Minute"},
		{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Limit-Minute"},
	} {
		var rd Reader
		var known, alone Reading
		for i := range 3000 {
			h := typical()
			for _, name := range names {
				h.Add(name, "7")
				if i > 0 && r.IntN(4) == 0 { // the first is plain
					h.Set(name, values[r.IntN(len(values))])
				}
				if r.IntN(50) == 0 {
					h.Add(name, "8")
				}
			}
			if r.IntN(10) == 0 {
				h.Set("Age", "0")
			}
			if r.IntN(10) == 0 {
				h["Date"] = nil
			}
			rd.Read(&known, http.StatusOK, h, nil, benchNow)
			alone.begin(http.StatusOK, benchNow)
			alone.periods = []Period{} // rules the quick way out
			alone.scan(h)
			alone.finish(nil)
			require.Equal(t, said(&alone), said(&known), "%v", h)
		}
	}
}

// A Date is read where it tells what a moment means.
func TestDateIsReadWhereItIsNeeded(t *testing.T) {
	for _, tt := range []struct {
		reset string
		want  time.Time
	}{{"30", time.Time{}}, {"1772370000", benchNow}, {"6m0s", time.Time{}}, {"2026-03-01T12:00:30Z", benchNow}} {
		var rd Reader
		var r Reading
		h := typical("X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "59", "X-RateLimit-Reset", tt.reset)
		for range 3 {
			rd.Read(&r, http.StatusOK, h, nil, benchNow.Add(time.Hour))
			assert.Equal(t, tt.want, r.Date, tt.reset)
		}
		rd.Read(&r, http.StatusTooManyRequests, h, nil, benchNow.Add(time.Hour))
		assert.Equal(t, benchNow, r.Date, "a wait counts from it")
	}
}

// TestReaderRemembersCosts requires that a window keeps its unit when a request happens to
// cost one.
func TestReaderRemembersCosts(t *testing.T) {
	rd := new(Reader)
	for i, c := range []struct{ cost, unit string }{{"1", ""}, {"5", "cost"}, {"1", "cost"}} {
		var r Reading
		rd.Read(&r, http.StatusOK, headerOf("X-RateLimit-Limit", "700", "X-RateLimit-Remaining", "600", "X-Request-Cost", c.cost), nil, benchNow)
		if assert.Len(t, r.Windows, 1) {
			assert.Equal(t, c.unit, r.Windows[0].Unit, "response %d", i)
		}
	}
}
