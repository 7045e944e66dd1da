package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func quotas(n int, per time.Duration) []Quota {
	q := Per(n, per)
	return []Quota{q, q.Slack(0), q.Slack(300 * ms), q.TokenBucket(n), q.TokenBucket(n).Slack(0), q.TokenBucket(max(1, n/3)),
		q.SlidingCounter(), q.SlidingCounter().Slack(0), q.FixedWindow(nil), q.FixedWindow(nil).Slack(0), q.FixedWindow(nil).Slack(2 * time.Second)}
}

func kind(q Quota) string {
	return fmt.Sprintf("%v, %T, slack %v %v", q, q.limiter(), q.fixed, q.slack)
}

// send is a request that a limit let go.
type sending struct {
	taken    time.Time
	r        Demand
	returned bool // it will be: it is never sent
}

// A limit that got requests back gives the same answers as one that never saw them, however many of
// other costs were sent and answered at the same time.
func TestWhatIsReturnedWasNeverTaken(t *testing.T) {
	for _, q := range quotas(12, time.Minute) {
		t.Run(kind(q), func(t *testing.T) {
			for seed := range seeds(200) {
				rng := rand.New(rand.NewPCG(seed, 3))
				limit, pure := q.limiter(), q.limiter()
				now := time.Date(2026, 2, 28, 12, 0, 17, 0, time.UTC)
				var out []sending
				outstanding := 0
				for range 300 {
					switch n := rng.IntN(10); {
					case n < 4:
						r := Demand{Requests: 1 + rng.IntN(4)}
						if a := limit.Ask(now, r); !a.Admits(now) {
							break
						}
						s := sending{now, r, rng.IntN(3) == 0}
						limit.Take(now, r)
						if s.returned {
							outstanding++
						} else {
							pure.Take(now, r)
						}
						out = append(out, s)
					case n < 8 && len(out) > 0:
						i := rng.IntN(len(out))
						s := out[i]
						out = append(out[:i], out[i+1:]...)
						if s.returned {
							limit.Cancel(s.taken, s.r)
							outstanding--
						} else {
							limit.Done(now, s.taken, s.r)
							pure.Done(now, s.taken, s.r)
						}
					case q.kind == isBucket && outstanding > 0:
						// A bucket takes back only what cannot have arrived.
					case n == 8:
						now = now.Add(time.Duration(rng.IntN(int(100 * ms))))
					case rng.IntN(8) == 0:
						now = now.Add(time.Duration(rng.IntN(int(40 * time.Second))))
					}
					if outstanding == 0 {
						for cost := range 5 {
							r := Demand{Requests: cost}
							require.Equal(t, pure.Ask(now, r), limit.Ask(now, r), "seed %d", seed)
						}
					}
				}
			}
		})
	}
}
