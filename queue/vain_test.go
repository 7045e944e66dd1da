package queue

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

// shut is a limit that lets nothing go before a time, and says of each request how much it costs.
type shut struct {
	journal

	until time.Time
	most  int // of a request that may go before; 0 for none
}

func newShut(d time.Duration) *shut {
	now := time.Now()
	return &shut{journal: journal{at: map[string]time.Duration{}, start: now}, until: now.Add(d)}
}

func (c *shut) Ask(now time.Time, d limit.Demand) limit.Decision {
	if !now.Before(c.until) || d.Count() <= c.most {
		return limit.Decision{}
	}
	return limit.Decision{At: c.until, Limit: "closed"}
}

// within starts a request that has so much time.
func within(t testing.TB, l *Queue, d time.Duration, r *Request) *result {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return enqueue(ctx, l, r)
}

// spend uses up what of its requests a key may let fail early.
func spend(l *Queue, key string) {
	for l.MayFailEarly(key) {
	}
}

// failures returns how many of the results are errors.
func failures(all []*result) (n int) {
	for _, r := range all {
		if out := r.out.Load(); out != nil && out.err != nil {
			n++
		}
	}
	return n
}

func TestOnlySomeFailEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(newShut(time.Hour)))
		defer l.Close()
		var all []*result
		for range 30 {
			all = append(all, within(t, l, 20*time.Second, &Request{Key: "k"}))
		}
		assert.Equal(t, hasteBurst, failures(all), "at once")
		other := within(t, l, 20*time.Second, &Request{Key: "other"})
		assert.Error(t, other.get(t).err, "each key has its own")
		pass(19 * time.Second)
		assert.Equal(t, hasteBurst, failures(all))
		pass(time.Second - notice)
		require.Equal(t, 30, failures(all))
		for _, r := range all {
			out := r.get(t)
			var e *WaitError
			require.ErrorAs(t, out.err, &e)
			require.ErrorIs(t, e, context.DeadlineExceeded)
			assert.Equal(t, "closed", e.Limit)
			assert.Equal(t, l.start.Add(time.Hour), e.Until)
		}
		pass(hasteEvery)
		assert.True(t, within(t, l, time.Second, &Request{Key: "k"}).done(), "one more")
		assert.False(t, within(t, l, time.Second, &Request{Key: "k"}).done(), "and no other")
	})
}

// Who sets a MaxWait asks for errors at once.
func TestWhatTheProgramSetsFailsEarly(t *testing.T) {
	for _, c := range []struct {
		name    string
		r       Request
		timeout time.Duration
		early   bool
	}{
		{"a deadline, of a queue whose maximum is too short as well", Request{}, time.Minute, true},
		{"MaxWait", Request{MaxWait: time.Minute}, 0, true},
		{"MaxWait, patiently", Request{MaxWait: time.Minute, Patient: true}, 0, false},
		{"the queue's", Request{}, 0, true},
		{"the queue's, patiently", Request{Patient: true}, 0, false},
		{"a deadline before MaxWait, which is too short as well", Request{MaxWait: 2 * time.Minute}, time.Minute, true},
		{"a deadline before MaxWait, which is long enough", Request{MaxWait: 2 * time.Hour}, time.Minute, false},
		{"NoWait", Request{NoWait: true, Patient: true}, time.Minute, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, own(newShut(time.Hour)), WithMaxWait(5*time.Minute))
				defer l.Close()
				spend(l, "k")
				c.r.Key = "k"
				res := enqueue(t.Context(), l, &c.r)
				if c.timeout > 0 {
					res = within(t, l, c.timeout, &c.r)
				}
				assert.Equal(t, c.early, res.done())
				pass(5 * time.Minute)
				require.Error(t, res.get(t).err)
			})
		})
	}
}

// A limit that opens earlier than it was believed to serves those that waited in vain in turn.
func TestALimitThatOpensEarlyServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newShut(time.Hour)
		l := newLine(t, own(c))
		defer l.Close()
		spend(l, "k")
		const n = 10_000
		var all []*result
		want := make([]string, n)
		for i := range n {
			want[i] = fmt.Sprint(i)
			res := &result{start: time.Now()}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			go func() {
				p, err := l.Acquire(ctx, &Request{Key: "k", Tag: i})
				res.out.Store(&outcome{p, err, time.Since(res.start)})
			}()
			all = append(all, res)
			synctest.Wait() // so that they arrive in order
		}
		synctest.Wait()
		assert.Len(t, l.inVain, n)
		assert.Len(t, l.alarms, 1)
		assert.Empty(t, l.deadlines)
		pass(20 * time.Second)
		require.Zero(t, failures(all))
		l.Update("k", func(now time.Time, _ limit.Limiter) { c.until = now })
		synctest.Wait()
		require.Zero(t, failures(all))
		got := c.names()
		require.Len(t, got, n)
		assert.Equal(t, want, got)
		for _, r := range all {
			r.get(t).permit.Release()
		}
		checkEmpty(t, l)
	})
}

// Those that wait in vain keep their order, and get one permit in eight as long as others wait whose priority is
// normal at most.
func TestTheOrderOfThoseInVain(t *testing.T) {
	for priority, first := range map[Priority]int{Low: 8, Normal: 8, High: math.MaxInt} {
		synctest.Test(t, func(t *testing.T) {
			c := newShut(time.Hour)
			l := newLine(t, own(c))
			defer l.Close()
			spend(l, "k")
			for i := range 30 {
				within(t, l, time.Minute, &Request{Key: "k", Tag: fmt.Sprint("late ", i), Priority: High})
				enqueue(t.Context(), l, &Request{Key: "k", Tag: fmt.Sprint("patient ", i), Priority: priority})
			}
			pass(30 * time.Second)
			l.Update("k", func(now time.Time, _ limit.Limiter) { c.until = now })
			synctest.Wait()
			got := c.names()
			require.Len(t, got, 60)
			var late, patient int
			for i, name := range got {
				if strings.HasPrefix(name, "late") {
					assert.Equal(t, fmt.Sprint("late ", late), name)
					if late++; patient < 30 {
						assert.Equal(t, 0, (i+1)%first)
					}
					continue
				}
				assert.Equal(t, fmt.Sprint("patient ", patient), name)
				patient++
			}
		})
	}
}

// A costly request that waits in vain delays none that costs less, of whichever priority.
func TestOneInVainDelaysNoOther(t *testing.T) {
	for _, scope := range []Scope{PerKey, Global} {
		synctest.Test(t, func(t *testing.T) {
			c := newShut(time.Hour)
			c.most = 1
			l := newLine(t, WithRule(Rule{Scope: scope, New: func() limit.Limiter { return c }}))
			defer l.Close()
			spend(l, "k")
			late := within(t, l, time.Minute, &Request{Key: "k", Cost: 2, Priority: Highest})
			require.False(t, late.done())
			for range 20 {
				cheap := enqueue(t.Context(), l, &Request{Key: "k", Priority: Lowest})
				cheap.get(t).permit.Release()
			}
			pass(time.Minute)
			require.ErrorIs(t, late.get(t).err, context.DeadlineExceeded)
			checkEmpty(t, l)
		})
	}
}

// Nor is any turned away for a request that waits in vain: it does not count as one that goes first, and gives
// way where there is no room.
func TestOneInVainGivesWay(t *testing.T) {
	for name, opt := range map[string]Option{
		"refuse newest": WithMaxWaiting(3, RefuseNewest),
		"drop oldest":   WithMaxWaiting(3, DropOldest),
		"block":         WithMaxWaiting(3, Block),
		"per key":       WithMaxWaitingPerKey(3),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, opt, own(newShut(time.Hour)))
				defer l.Close()
				spend(l, "k")
				var late []*result
				for range 3 {
					late = append(late, within(t, l, time.Minute, &Request{Key: "k"}))
				}
				require.Zero(t, failures(late))
				more := within(t, l, time.Minute, &Request{Key: "k"})
				assert.Equal(t, name != "block", more.done(), "where there is no room, it fails at once")
				for i := range 3 {
					patient := enqueue(t.Context(), l, &Request{Key: "k"})
					assert.False(t, patient.done())
					assert.Equal(t, i+1, failures(late))
				}
				for _, r := range late {
					assert.ErrorIs(t, r.get(t).err, context.DeadlineExceeded)
				}
			})
		})
	}
}

func TestOneInVainCanBeCancelledAndShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(newShut(time.Hour)))
		spend(l, "k")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		res := enqueue(ctx, l, &Request{Key: "k"})
		cancel()
		synctest.Wait()
		require.ErrorIs(t, res.get(t).err, context.Canceled)
		checkEmpty(t, l)

		res = within(t, l, time.Minute, &Request{Key: "k"})
		require.False(t, res.done())
		began := time.Now()
		require.NoError(t, l.Shutdown(t.Context()))
		assert.Zero(t, time.Since(began), "it does not wait in vain itself")
		synctest.Wait()
		require.ErrorIs(t, res.get(t).err, context.DeadlineExceeded)
		checkEmpty(t, l)
	})
}

// trying is shut, but lets a request that cannot wait try at a time.
type trying struct {
	*shut

	at time.Time
}

func (c trying) Ask(now time.Time, d limit.Demand) limit.Decision {
	a := c.shut.Ask(now, d)
	if now.Before(c.at) {
		a.Trial = c.at
	} else {
		a.Try = true
	}
	return a
}

func TestOneInVainTriesWhenItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(trying{newShut(time.Hour), time.Now().Add(20 * time.Second)}))
		defer l.Close()
		spend(l, "k")
		patient := enqueue(t.Context(), l, &Request{Key: "other"})
		res := within(t, l, time.Minute, &Request{Key: "k"})
		pass(20*time.Second - 1)
		require.False(t, res.done())
		pass(1)
		require.NoError(t, res.get(t).err)
		assert.False(t, patient.done())
	})
}

// A request that cannot wait until its limit opens waits for a trial that comes soon, and does not fail early. One
// that cannot wait for the trial either does.
func TestATrialThatComesSoonIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(trying{newShut(time.Hour), time.Now().Add(2 * time.Second)}))
		defer l.Close()
		early := within(t, l, time.Second, &Request{Key: "k"})
		res := within(t, l, time.Minute, &Request{Key: "k"})
		require.ErrorIs(t, early.get(t).err, context.DeadlineExceeded)
		require.False(t, res.done())
		pass(2 * time.Second)
		require.NoError(t, res.get(t).err)
	})
}

func TestHaste(t *testing.T) {
	var h haste
	n := 0
	for at := range int64(time.Hour / time.Second) {
		for h.take(at * int64(time.Second)) {
			n++
		}
	}
	assert.Equal(t, hasteBurst+int(time.Hour/hasteEvery)-1, n)
	assert.True(t, h.take(math.MaxInt64/2))
}

// A request whose response would come after its deadline is not sent: it would spend of a limit in vain.
func TestNothingIsSentThatIsAnsweredTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newShut(0)
		l := newLine(t, own(c))
		defer l.Close()
		first := enqueue(t.Context(), l, &Request{Key: "k", Tag: "first"}).get(t).permit
		pass(200 * time.Millisecond)
		first.Settle(nil)
		spend(l, "k")
		c.until = time.Now().Add(time.Second)
		late := within(t, l, 1100*time.Millisecond, &Request{Key: "k", Tag: "late"})
		soon := within(t, l, 1300*time.Millisecond, &Request{Key: "k", Tag: "soon"})
		pass(time.Second)
		require.ErrorIs(t, late.get(t).err, context.DeadlineExceeded)
		require.NoError(t, soon.get(t).err)
		assert.Equal(t, []string{"first", "soon"}, c.names())
	})
}

// What waits for a key is told with the highest priority of what does not wait in vain.
func TestKeyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(newShut(time.Hour)))
		defer l.Close()
		waiting := func() [3]int {
			all, first, highest := l.KeyWaiting("k")
			return [3]int{all, first, int(highest)}
		}
		spend(l, "k")
		assert.Equal(t, [3]int{0, 0, int(Lowest)}, waiting())
		within(t, l, time.Minute, &Request{Key: "k", Priority: Highest})
		assert.Equal(t, [3]int{1, 0, int(Lowest)}, waiting(), "in vain")
		enqueue(t.Context(), l, &Request{Key: "k"})
		enqueue(t.Context(), l, &Request{Key: "k"})
		assert.Equal(t, [3]int{3, 2, int(Normal)}, waiting())
		enqueue(t.Context(), l, &Request{Key: "k", Priority: High})
		assert.Equal(t, [3]int{4, 1, int(High)}, waiting())
	})
}
