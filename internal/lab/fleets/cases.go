package fleets

import (
	"net/http"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
)

// A Case is an API and the processes that call it.
type Case struct {
	ID, Name string
	limits   []clienttest.Option
	most     func(spent time.Duration) int // that an omniscient fleet could have had served
	members  int
	callers  func(i int) (n int, think time.Duration)
	lasts    time.Duration // from the opening of a window, late after which the processes begin
	trouble  trouble
}

// late is how long a window is open when the processes begin.
const late = 600 * time.Millisecond

// A trouble is what happens to the store.
type trouble struct {
	away, trip time.Duration
	forgets    bool
}

func busy(int) (n int, think time.Duration) { return 20, 0 }

func few(int) (n int, think time.Duration) { return 5, 0 }

// one has a busy process beside nearly idle ones.
func one(i int) (n int, think time.Duration) {
	if i == 0 {
		return 160, 0
	}
	return 1, 4 * time.Second
}

// windows returns how many requests windows of the clock admit, of n each.
func windows(n int, per time.Duration) func(time.Duration) int {
	return func(spent time.Duration) int { return n * int((spent+per-1)/per) }
}

// refills returns how many a bucket admits.
func refills(burst, n int, per time.Duration) func(time.Duration) int {
	return func(spent time.Duration) int { return burst + int(int64(n)*int64(spent-late)/int64(per)) }
}

// exact tells resets to the millisecond, and no lengths.
func exact() clienttest.Option {
	return clienttest.Announce(func(h http.Header, now time.Time, ws []clienttest.Window) {
		h.Set("X-RateLimit-Limit", strconv.Itoa(ws[0].Limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(ws[0].Remaining))
		h.Set("X-RateLimit-Reset", strconv.FormatFloat(ws[0].Reset.Sub(now).Seconds(), 'f', 3, 64))
	})
}

// All returns the cases.
func All() []Case {
	of := func(opts ...clienttest.Option) []clienttest.Option { return opts }
	fixed := func(n int, per time.Duration, dialect clienttest.Option) []clienttest.Option {
		return of(clienttest.Fixed(n, per), dialect)
	}
	const s, ms, short = time.Second, time.Millisecond, 11400 * time.Millisecond
	return []Case{
		{"steady", "400 in 2 s", fixed(400, 2*s, exact()), windows(400, 2*s), 8, busy, short, trouble{}},
		{"seconds", "400 in 2 s, whole seconds", fixed(400, 2*s, clienttest.Draft8()), windows(400, 2*s), 8, busy, short, trouble{}},
		{"minute", "600 in 60 s, Unix seconds", fixed(600, 60*s, clienttest.XRateLimit()), windows(600, 60*s), 8, busy, 224 * s, trouble{}},
		{"one", "1,000 in 10 s, one busy, seven nearly idle", fixed(1000, 10*s, exact()), windows(1000, 10*s), 8, one, 34 * s, trouble{}},
		{"twenty", "20 in 2 s", fixed(20, 2*s, exact()), windows(20, 2*s), 8, few, 41 * s, trouble{}},
		{"five", "5 in 1 s", fixed(5, s, exact()), windows(5, s), 8, few, 41 * s, trouble{}},
		{"rolling", "rolling, 400 in 2 s", of(clienttest.Rolling(400, 2*s), exact()), windows(400, 2*s), 8, busy, 12 * s, trouble{}},
		{"bucket", "bucket of 400, 200 a second", of(clienttest.Bucket(400, 200, s), exact()), refills(400, 200, s), 8, busy, short, trouble{}},
		{"small", "bucket of 5, 20 a second, seconds", of(clienttest.Bucket(5, 20, s), clienttest.XRateLimitDelta()), refills(5, 20, s), 8, few, 20 * s, trouble{}},
		{"gcra", "50 a second one by one, whole seconds", of(clienttest.Bucket(1, 50, s), clienttest.Draft8()), refills(1, 50, s), 8, few, 20 * s, trouble{}},
		{"away", "400 in 2 s, the store away for 3 s", fixed(400, 2*s, exact()), windows(400, 2*s), 8, busy, 15400 * ms, trouble{away: 3 * s}},
		{"forgets", "400 in 2 s, the store loses its state", fixed(400, 2*s, exact()), windows(400, 2*s), 8, busy, 15400 * ms, trouble{forgets: true}},
		{"slow", "400 in 2 s, every call takes 100 ms", fixed(400, 2*s, exact()), windows(400, 2*s), 8, busy, short, trouble{trip: 100 * time.Millisecond}},
	}
}
