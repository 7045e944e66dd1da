package queue

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quotas(n int, per time.Duration) []Quota {
	q := Per(n, per)
	return []Quota{q, q.Slack(0), q.Slack(300 * ms), q.TokenBucket(n), q.TokenBucket(n).Slack(0), q.TokenBucket(max(1, n/3)),
		q.SlidingCounter(), q.SlidingCounter().Slack(0), q.FixedWindow(nil), q.FixedWindow(nil).Slack(0), q.FixedWindow(nil).Slack(2 * time.Second)}
}

func kind(q Quota) string { return fmt.Sprintf("%v, %T, slack %v %v", q, q.limit(), q.fixed, q.slack) }

// send is a request that a limit let go.
type sending struct {
	taken    time.Time
	r        *Request
	returned bool // it will be: it is never sent
}

// A limit that got requests back gives the same answers as one that never saw them, however many of
// other costs were sent and answered at the same time.
func TestWhatIsReturnedWasNeverTaken(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() || raceEnabled {
		seeds = 40
	}
	for _, q := range quotas(12, time.Minute) {
		t.Run(kind(q), func(t *testing.T) {
			for seed := range seeds {
				rng := rand.New(rand.NewPCG(seed, 3))
				limit, pure := q.limit(), q.limit()
				now := time.Date(2026, 2, 28, 12, 0, 17, 0, time.UTC)
				var out []sending
				outstanding := 0
				for range 300 {
					switch n := rng.IntN(10); {
					case n < 4:
						r := &Request{Cost: 1 + rng.IntN(4)}
						if a := limit.Ask(now, r); !a.goes(now) {
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
							limit.(Canceler).Return(s.taken, s.r)
							outstanding--
						} else {
							observe(limit, now, s.taken, s.r.cost())
							observe(pure, now, s.taken, s.r.cost())
						}
					case q.kind == isSmooth && outstanding > 0:
						// A bucket takes back only what cannot have arrived.
					case n == 8:
						now = now.Add(time.Duration(rng.IntN(int(100 * ms))))
					case rng.IntN(8) == 0:
						now = now.Add(time.Duration(rng.IntN(int(40 * time.Second))))
					}
					if outstanding == 0 {
						for cost := range 5 {
							r := &Request{Cost: cost}
							require.Equal(t, pure.Ask(now, r), limit.Ask(now, r), "seed %d", seed)
						}
					}
				}
			}
		})
	}
}

// After whatever happened, and a long pause, all of the quota is there again.
func TestAQuotaNeverShrinks(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() || raceEnabled {
		seeds = 3
	}
	for _, q := range append(quotas(10, time.Minute), quotas(6000, time.Minute)...) {
		t.Run(kind(q), func(t *testing.T) {
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) {
					rng := rand.New(rand.NewPCG(seed, 11))
					l := newLine(t, WithRule(Rule{Limits: []Quota{q}, MaxInFlight: q.n}))
					defer l.Close()
					free := func() (n int) {
						pass(time.Until(time.Now().Truncate(time.Minute).Add(4*time.Minute + 13*time.Second)))
						for {
							p, err := l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
							if err != nil {
								return n
							}
							defer p.Release()
							n++
						}
					}
					before := free()
					pass(4 * time.Minute)
					type held struct {
						p Permit
						r *Request
					}
					var all []held
					for range 200 {
						switch n := rng.IntN(10); {
						case n < 5:
							r := &Request{Key: "k", Cost: rng.IntN(4), NoWait: true}
							if p, err := l.Acquire(t.Context(), r); err == nil {
								all = append(all, held{p, r})
							}
						case n < 9 && len(all) > 0:
							i := rng.IntN(len(all))
							h := all[i]
							all = append(all[:i], all[i+1:]...)
							switch rng.IntN(3) {
							case 0:
								h.p.Release()
							case 1:
								h.r.Cost = rng.IntN(9) // what it says now does not matter
								h.p.Return(h.r)
							case 2:
								h.p.Settle(func(time.Time, Limit) {})
							}
						case n == 9 && rng.IntN(3) == 0:
							pass(time.Duration(rng.IntN(int(20 * time.Second))))
						}
					}
					for _, h := range all {
						h.p.Return(h.r)
					}
					pass(4 * time.Minute)
					assert.Equal(t, before, free(), "seed %d", seed)
				})
			}
		})
	}
}

// A permit of a quota of another kind, from before the rule was changed, gives nothing back.
func TestNothingIsReturnedThatWasNotTaken(t *testing.T) {
	for _, from := range quotas(10, time.Minute) {
		for _, to := range quotas(10, time.Minute) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, WithRule(Rule{Name: "r", Limits: []Quota{from}}))
				defer l.Close()
				pass(17 * time.Second)
				r := &Request{Key: "k", Cost: 3, NoWait: true}
				p, err := l.Acquire(t.Context(), r)
				require.NoError(t, err)
				require.NoError(t, l.SetLimits("r", to))
				pass(time.Second)
				most := to.n
				if to.kind == isSmooth {
					most = to.burst
				}
				n := 0
				take := func() {
					for {
						p, err := l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
						if err != nil {
							return
						}
						defer p.Release()
						n++
					}
				}
				take()
				p.Return(r)
				take()
				assert.LessOrEqual(t, n, most, "from %s to %s", kind(from), kind(to))
			})
		}
	}
}

func TestAReturnGivesBackWhatWasTaken(t *testing.T) {
	for _, q := range quotas(3, time.Hour) {
		if q.kind == isSmooth && q.burst < 3 {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, WithRule(Rule{Limits: []Quota{q}}))
			defer l.Close()
			pass(time.Minute)
			one, two := &Request{Key: "k"}, &Request{Key: "k", Cost: 2}
			p, err := l.Acquire(t.Context(), one)
			require.NoError(t, err)
			_, err = l.Acquire(t.Context(), two)
			require.NoError(t, err)
			one.Cost = 3 // what it says now does not matter
			p.Return(one)
			_, err = l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
			require.NoError(t, err, kind(q))
			_, err = l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
			require.ErrorIs(t, err, ErrNoWait, kind(q))
		})
	}
}
