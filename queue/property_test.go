package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// world drives a line at random and keeps books of its own in the simplest way: every grant ever made.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	line  *Line
	seq   int
	asked []*asked // all, in the order of arrival

	perKey, perHost, global int // rates: per second and key, per 10 s and host, per second on /slow
	keyFlight, allFlight    int
	costs                   bool
	closed                  bool
}

type asked struct {
	id      int
	r       *Request
	cancel  context.CancelFunc
	came    time.Time
	limit   time.Time // its deadline, if any
	res     *result
	granted time.Time
	err     error
	held    bool
	over    bool
	gaveUp  bool
}

func (w *world) options() []Option {
	r := w.rng
	w.perKey, w.perHost, w.global = 1+r.IntN(5), 5+r.IntN(30), 1+r.IntN(4)
	w.keyFlight, w.allFlight = 1+r.IntN(6), 3+r.IntN(20)
	return []Option{
		WithRule(Rule{Name: "key", Limits: []Quota{PerSecond(w.perKey).Slack(0)}, MaxInFlight: w.keyFlight}),
		WithRule(Rule{Name: "host", Scope: PerHost, Limits: []Quota{Per(w.perHost, 10*time.Second).Slack(0)}}),
		WithRule(Rule{Name: "slow", Pattern: "/slow", Scope: Global, Limits: []Quota{PerSecond(w.global).Slack(0)}}),
		WithRule(Rule{Name: "all", Scope: Global, MaxInFlight: w.allFlight}),
	}
}

func (w *world) arrive() {
	r := w.rng
	w.seq++
	a := &asked{id: w.seq, came: time.Now(), r: &Request{
		Key:      fmt.Sprint("key", r.IntN(4)),
		Lane:     fmt.Sprint("lane", r.IntN(2)),
		Host:     fmt.Sprint("host", r.IntN(2)),
		Path:     []string{"/slow", "/fast"}[r.IntN(2)],
		Priority: Priority(r.IntN(5) - 2),
		Retry:    r.IntN(5) == 0,
		NoWait:   r.IntN(20) == 0,
		Tag:      w.seq,
	}}
	if w.costs && r.IntN(3) == 0 {
		a.r.Cost = 1 + r.IntN(3)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	switch r.IntN(6) {
	case 0:
		a.r.MaxWait = time.Duration(1+r.IntN(5000)) * time.Millisecond
		a.limit = a.came.Add(a.r.MaxWait)
	case 1:
		a.limit = a.came.Add(time.Duration(1+r.IntN(5000)) * time.Millisecond)
		ctx, cancel = context.WithDeadline(w.t.Context(), a.limit)
	}
	a.cancel = cancel
	a.res = &result{start: a.came}
	go func() {
		p, err := w.line.Acquire(ctx, a.r)
		a.res.out.Store(&outcome{p, err, time.Since(a.came)})
	}()
	w.asked = append(w.asked, a)
	w.look()
}

// look notes who has come through since the last look.
func (w *world) look() {
	synctest.Wait()
	for _, a := range w.asked {
		if a.over || a.held || a.res.out.Load() == nil {
			continue
		}
		out := a.res.get(w.t)
		a.err = out.err
		if out.err == nil {
			a.held, a.granted = true, a.came.Add(out.took)
			w.checkOrder(a)
			continue
		}
		a.over = true
		w.checkError(a, out)
	}
	w.checkLimits()
	w.checkNobodyWaitsForNothing()
}

func (w *world) waits(a *asked) bool { return !a.over && !a.held }

func (w *world) checkError(a *asked, out *outcome) {
	end := a.came.Add(out.took)
	var cost *CostError
	var wait *WaitError
	switch {
	case errors.As(out.err, &cost):
		assert.Greater(w.t, a.r.cost(), 1)
	case errors.Is(out.err, ErrClosed):
		assert.True(w.t, w.closed)
	case errors.Is(out.err, ErrNoWait):
		assert.True(w.t, a.r.NoWait)
		assert.Zero(w.t, out.took)
	case errors.Is(out.err, context.Canceled):
		assert.True(w.t, a.gaveUp)
	case errors.Is(out.err, ErrMaxWait), errors.Is(out.err, context.DeadlineExceeded):
		require.False(w.t, a.limit.IsZero())
		assert.False(w.t, end.After(a.limit), "turned away after the deadline")
		if errors.As(out.err, &wait) && !wait.Until.IsZero() {
			assert.True(w.t, wait.Until.After(a.limit), "turned away although it could go in time")
		}
	default:
		w.t.Errorf("unexpected error: %v", out.err)
	}
}

// checkOrder: nobody of the same key, lane and priority who came earlier still waits, unless a went
// ahead as a retry or is for something else.
func (w *world) checkOrder(a *asked) {
	for _, b := range w.asked {
		same := b.r.Key == a.r.Key && b.r.Lane == a.r.Lane && b.r.Priority == a.r.Priority && b.r.Host == a.r.Host && b.r.Path == a.r.Path
		if same && b.id < a.id && w.waits(b) && b.res.out.Load() == nil && (!a.r.Retry || b.r.Retry) {
			w.t.Fatalf("request %d went before %d", a.id, b.id)
		}
	}
}

// spent is what was granted in the last d to requests like r.
func (w *world) spent(d time.Duration, like func(*asked) bool) (n int) {
	since := time.Now().Add(-d)
	for _, a := range w.asked {
		if !a.granted.IsZero() && a.granted.After(since) && like(a) {
			n += a.r.cost()
		}
	}
	return n
}

func (w *world) inFlight(like func(*asked) bool) (n int) {
	for _, a := range w.asked {
		if a.held && like(a) {
			n++
		}
	}
	return n
}

// room is, for each limit that applies to a, how much of it is left.
func (w *world) room(a *asked) map[string]int {
	key := func(b *asked) bool { return b.r.Key == a.r.Key }
	host := func(b *asked) bool { return b.r.Host == a.r.Host }
	slow := func(b *asked) bool { return b.r.Path == "/slow" }
	all := func(*asked) bool { return true }
	m := map[string]int{
		"key":        w.perKey - w.spent(time.Second, key),
		"host":       w.perHost - w.spent(10*time.Second, host),
		"key flight": w.keyFlight - w.inFlight(key),
		"all flight": w.allFlight - w.inFlight(all),
	}
	if slow(a) {
		m["slow"] = w.global - w.spent(time.Second, slow)
	}
	return m
}

// checkLimits: no limit was ever exceeded. Only what was granted now can have done it.
func (w *world) checkLimits() {
	for _, a := range w.asked {
		if a.held && a.granted.Equal(time.Now()) {
			for name, left := range w.room(a) {
				require.GreaterOrEqual(w.t, left, 0, "limit %s exceeded", name)
			}
		}
	}
}

// checkNobodyWaitsForNothing: whoever waits is stopped by a limit or, where costs differ, by somebody.
func (w *world) checkNobodyWaitsForNothing() {
	if w.costs {
		return
	}
	for _, a := range w.asked {
		if !w.waits(a) {
			continue
		}
		least := 1
		for _, left := range w.room(a) {
			least = min(least, left)
		}
		require.LessOrEqual(w.t, least, 0, "request %d waits for nothing", a.id)
	}
}

func (w *world) pick(like func(*asked) bool) *asked {
	var some []*asked
	for _, a := range w.asked {
		if like(a) {
			some = append(some, a)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[w.rng.IntN(len(some))]
}

func (w *world) release(a *asked) {
	a.held, a.over = false, true
	if w.rng.IntN(2) == 0 {
		a.res.get(w.t).permit.Release()
		return
	}
	a.res.get(w.t).permit.Settle(func(time.Time, Limit) {})
}

func (w *world) step() {
	r := w.rng
	switch n := r.IntN(100); {
	case n < 45:
		w.arrive()
		return
	case n < 55:
		if a := w.pick(w.waits); a != nil {
			a.gaveUp = true
			a.cancel()
		}
	case n < 80:
		if a := w.pick(func(a *asked) bool { return a.held }); a != nil {
			w.release(a)
		}
	case n < 82:
		w.perKey = 1 + r.IntN(5)
		// Only more: what a smaller limit was exceeded by in the past is no fault.
		w.perHost += r.IntN(3)
		require.NoError(w.t, w.line.SetLimits("host", Per(w.perHost, 10*time.Second).Slack(0)))
		time.Sleep(time.Second)
		require.NoError(w.t, w.line.SetLimits("key", PerSecond(w.perKey).Slack(0)))
		w.relax()
	case n < 84:
		w.line.Replan()
	default:
		// In steps, so that every moment at which something happens is looked at.
		for range 1 + r.IntN(4) {
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			w.look()
		}
	}
	w.look()
}

// relax lets a second pass in which a limit that became smaller is not held against the line.
func (w *world) relax() {
	synctest.Wait()
	end := time.Now().Add(time.Second)
	for _, a := range w.asked {
		if !a.over && !a.held && a.res.out.Load() != nil {
			out := a.res.get(w.t)
			a.err = out.err
			if out.err == nil {
				a.held, a.granted = true, a.came.Add(out.took)
			} else {
				a.over = true
				w.checkError(a, out)
			}
		}
	}
	time.Sleep(time.Until(end) + time.Nanosecond)
}

// end winds the world down and checks that nothing is left in the line.
func (w *world) end() {
	if w.rng.IntN(2) == 0 {
		w.closed = true
		w.line.Close()
	}
	for range 10000 {
		w.look()
		busy := false
		for _, a := range w.asked {
			if a.held {
				w.release(a)
			}
			busy = busy || !a.over
		}
		if !busy {
			break
		}
		time.Sleep(time.Second)
	}
	for _, a := range w.asked {
		a.cancel()
		require.True(w.t, a.over, "request %d was lost", a.id)
		if a.err == nil {
			a.res.get(w.t).permit.Release() // once more: must do nothing
		}
	}
	w.checkEmpty()
	w.line.Close()
}

func (w *world) checkEmpty() {
	l := w.line
	l.mu.Lock()
	defer l.mu.Unlock()
	assert.Zero(w.t, l.waiting)
	assert.Zero(w.t, l.flying)
	assert.Empty(w.t, l.alarms)
	assert.Empty(w.t, l.deadlines)
	assert.Zero(w.t, l.yard.len())
	for _, k := range l.keys {
		assert.Zero(w.t, k.waiting)
		assert.Zero(w.t, k.flying)
		assert.Nil(w.t, k.lane)
		assert.Empty(w.t, k.lanes)
		for _, g := range k.gates {
			if g != nil {
				assert.Nil(w.t, g.crowd)
				assert.True(w.t, g.flight == nil || g.flight.now == 0)
			}
		}
	}
	for _, c := range l.classes {
		assert.Zero(w.t, c.users)
		assert.Zero(w.t, c.ready.n)
		assert.Nil(w.t, c.parked)
		assert.Empty(w.t, c.account)
	}
	for _, g := range l.shared {
		assert.Nil(w.t, g.crowd)
		assert.True(w.t, g.flight == nil || g.flight.now == 0)
	}
	for i := range l.chains {
		assert.Nil(w.t, l.chains[i].oldest)
	}
}

func TestNobodyIsLostAndNoLimitIsExceeded(t *testing.T) {
	worlds := 300
	if testing.Short() || raceEnabled {
		worlds = 60
	}
	for seed := range uint64(worlds) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 7))}
			w.costs = seed%3 == 0
			w.line = newLine(t, w.options()...)
			for range 200 {
				w.step()
			}
			w.end()
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
