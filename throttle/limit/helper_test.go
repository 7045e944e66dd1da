package limit

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/chance"
)

const (
	sec = time.Second
	ms  = time.Millisecond
)

func PerSecond(n int) Quota       { return Per(n, sec) }
func PerMinute(n int) Quota       { return Per(n, time.Minute) }
func PerHour(n int) Quota         { return Per(n, time.Hour) }
func PerDay(n int) Quota          { return Per(n, 24*time.Hour) }
func Every(d time.Duration) Quota { return Per(1, d) }

// yes always agrees.
type yes struct{ NoHooks }

func (yes) Ask(time.Time, Demand) Decision { return Decision{} }
func (yes) Take(time.Time, Demand)         {}
func (yes) Idle(time.Time) bool            { return true }

// spaced lets one request go at a time; if unknown, it refuses without a time.
type spaced struct {
	NoHooks

	next    time.Time
	unknown bool
}

func (s *spaced) Ask(time.Time, Demand) Decision {
	return Decision{At: s.next, Limit: "spaced", Unknown: s.unknown}
}

func (*spaced) Take(time.Time, Demand) {}

// trip is how long one request is on the way to the server and back.
type trip struct{ there, back time.Duration }

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

// seeds is how many of n seeds to try.
func seeds(n int) uint64 {
	if testing.Short() || chance.Raced {
		return uint64(max(1, n/5))
	}
	return uint64(n)
}
