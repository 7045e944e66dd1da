package queue

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/limit"
)

// quotas returns quotas of n of every kind, with how many requests each allows at once.
func quotas(n int, per time.Duration) map[Quota]int {
	q := Per(n, per)
	all := map[Quota]int{q.TokenBucket(max(1, n/3)): max(1, n/3)}
	for _, q := range []Quota{q, q.Slack(0), q.Slack(300 * ms), q.TokenBucket(n), q.TokenBucket(n).Slack(0), q.SlidingCounter(),
		q.SlidingCounter().Slack(0), q.FixedWindow(nil), q.FixedWindow(nil).Slack(0), q.FixedWindow(nil).Slack(2 * time.Second)} {
		all[q] = n
	}
	return all
}

// After any play and a long pause, the whole quota is available again.
func TestAQuotaNeverShrinks(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() || chance.Raced {
		seeds = 3
	}
	all := quotas(6000, time.Minute)
	maps.Copy(all, quotas(10, time.Minute))
	for q, most := range all {
		t.Run(fmt.Sprintf("%+v", q), func(t *testing.T) {
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) {
					rng := rand.New(rand.NewPCG(seed, 11))
					l := newLine(t, WithRule(Rule{Limits: []Quota{q}, MaxInFlight: 3 * most}))
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
					var all []Permit
					for range 200 {
						switch n := rng.IntN(10); {
						case n < 5:
							r := &Request{Key: "k", Cost: rng.IntN(4), NoWait: true}
							if p, err := l.Acquire(t.Context(), r); err == nil {
								r.Cost = rng.IntN(9) // what it says now does not matter
								all = append(all, p)
							}
						case n < 9 && len(all) > 0:
							i := rng.IntN(len(all))
							p := all[i]
							all = append(all[:i], all[i+1:]...)
							switch rng.IntN(3) {
							case 0:
								p.Release()
							case 1:
								p.Cancel()
							case 2:
								p.Settle(func(time.Time, limit.Limiter) {})
							}
						case n == 9 && rng.IntN(3) == 0:
							pass(time.Duration(rng.IntN(int(20 * time.Second))))
						}
					}
					for _, p := range all {
						p.Cancel()
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
	for from := range quotas(10, time.Minute) {
		for to, most := range quotas(10, time.Minute) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, WithRule(Rule{Name: "r", Limits: []Quota{from}}))
				defer l.Close()
				pass(17 * time.Second)
				r := &Request{Key: "k", Cost: 3, NoWait: true}
				p, err := l.Acquire(t.Context(), r)
				require.NoError(t, err)
				require.NoError(t, l.SetLimits("r", to))
				pass(time.Second)
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
				p.Cancel()
				take()
				assert.LessOrEqual(t, n, most, "from %+v to %+v", from, to)
			})
		}
	}
}

func TestAReturnGivesBackWhatWasTaken(t *testing.T) {
	for q, most := range quotas(3, time.Hour) {
		if most < 3 {
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
			p.Cancel()
			_, err = l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
			require.NoError(t, err, "%+v", q)
			_, err = l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
			require.ErrorIs(t, err, ErrNoWait, "%+v", q)
		})
	}
}
