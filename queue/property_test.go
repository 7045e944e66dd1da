package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A world drives a queue at random, and records every grant ever made.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	line  *Queue
	seq   int
	asked []*asked // all, in the order of arrival

	perKey, perHost, global int // rates: per second and key, per 10 s and host, per second on /slow
	keyFlight, allFlight    int
	costs                   bool
	closed                  bool
	full                    int // how many may wait
	overflow                Overflow
	vain                    int           // how many waited in vain, at all steps
	longest                 time.Duration // that a permit was held
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
	w.full, w.overflow = 5+r.IntN(40), Overflow(r.IntN(3))
	return []Option{
		WithMaxWaiting(w.full, w.overflow),
		WithKeyLimit(func(string) limit.Limiter { return yes{} }),
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
		Bucket:   fmt.Sprint("bucket", r.IntN(2)),
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
		a.r.Patient = r.IntN(2) == 0
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

// look notes the requests that have got an outcome since the last look.
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
	w.longest = max(w.longest, time.Since(a.granted))
	if w.rng.IntN(2) == 0 {
		a.res.get(w.t).permit.Release()
		return
	}
	a.res.get(w.t).permit.Settle(func(time.Time, limit.Limiter) {})
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
		// Only larger limits: earlier grants may exceed a smaller one.
		w.perHost += r.IntN(3)
		require.NoError(w.t, w.line.SetLimits("host", Per(w.perHost, 10*time.Second).Slack(0)))
		time.Sleep(time.Second)
		require.NoError(w.t, w.line.SetLimits("key", PerSecond(w.perKey).Slack(0)))
		w.relax()
	case n < 84:
		w.line.Replan()
	case n < 86:
		w.line.Update(fmt.Sprint("key", r.IntN(4)), func(time.Time, limit.Limiter) {})
	default:
		// In steps, so that the world looks at every moment at which something happens.
		for range 1 + r.IntN(4) {
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			w.look()
		}
	}
	w.look()
}

// relax lets a second pass in which a limit that became smaller is not held against the queue.
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

// end winds the world down and checks that nothing is left in the queue.
func (w *world) end() {
	switch w.rng.IntN(3) {
	case 0:
		w.closed = true
		w.line.Close()
	case 1:
		w.closed = true
		go func() { assert.NoError(w.t, w.line.Shutdown(w.t.Context())) }()
		synctest.Wait()
		_, err := w.line.Acquire(w.t.Context(), &Request{Key: "late"})
		assert.ErrorIs(w.t, err, ErrClosed)
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
	checkEmpty(w.t, w.line)
	w.line.Close()
}

func TestNobodyIsLostAndNoLimitIsExceeded(t *testing.T) {
	worlds := 300
	if testing.Short() || chance.Raced {
		worlds = 60
	}
	vain := 0
	for seed := range uint64(worlds) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 7))}
			w.costs = seed%3 == 0
			w.line = newLine(t, w.options()...)
			for range 200 {
				if seed%2 == 0 { // none fails early for a deadline
					for i := range 4 {
						spend(w.line, fmt.Sprint("key", i))
					}
				}
				w.step()
				w.line.mu.Lock()
				w.vain += len(w.line.inVain)
				w.line.mu.Unlock()
			}
			vain += w.vain
			w.end()
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	assert.Greater(t, vain, worlds, "requests that waited in vain")
}
