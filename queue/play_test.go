package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A play is a random queue with random requests. All events are fixed in advance, so that it can be
// played again with one event changed.
type play struct {
	floor float64
	rules []Rule
	own   *Quota // of each key
	cast  []part
	most  time.Duration // the longest window, or a second
	unit  bool          // all costs are 1
}

// part is one request of a play.
type part struct {
	Request
	at     time.Duration // when it arrives
	hold   time.Duration // how long it keeps its permit
	end    ending
	cancel time.Duration // when its caller gives up, from its arrival; 0 is never
	panics string        // what panics: "wait" is OnWait, "ask" and "take" are a limit
}

type ending uint8

const (
	releases ending = iota
	settles
	returns
	endings
)

// random makes a play. A wild one has callers that give up, are impatient, or panic.
func random(rng *rand.Rand, wild bool) *play {
	p := &play{most: time.Second, floor: []float64{.05, .05, 0, .1, .2}[rng.IntN(5)], unit: rng.IntN(2) == 0}
	quota := func() Quota {
		n, per := 1+rng.IntN(12), []time.Duration{time.Second, 10 * time.Second, time.Minute}[rng.IntN(3)]
		p.most = max(p.most, per)
		q := Per(n, per)
		if rng.IntN(3) > 0 {
			q = q.Slack(time.Duration(rng.IntN(2)) * 100 * ms)
		}
		switch rng.IntN(6) {
		case 0:
			return q.TokenBucket(1 + rng.IntN(n))
		case 1:
			return q.SlidingCounter()
		case 2:
			return q.FixedWindow(nil)
		}
		return q
	}
	if rng.IntN(2) == 0 {
		q := quota()
		p.own = &q
	}
	for range 1 + rng.IntN(4) {
		r := Rule{Scope: Scope(rng.IntN(3)), Pattern: []string{"", "", "/a", "/b"}[rng.IntN(4)]}
		for range rng.IntN(3) {
			r.Limits = append(r.Limits, quota())
		}
		if len(r.Limits) == 0 || rng.IntN(2) == 0 {
			r.MaxInFlight = 1 + rng.IntN(5)
		}
		p.rules = append(p.rules, r)
	}
	keys, priorities := 1+rng.IntN(4), 1+rng.IntN(5)
	span := time.Duration(1+rng.IntN(60)) * time.Second
	for range 10 + rng.IntN(50) {
		a := part{
			Request: Request{
				Key: fmt.Sprint("key", rng.IntN(keys)), Bucket: fmt.Sprint(rng.IntN(2)), Host: fmt.Sprint("host", rng.IntN(2)),
				Path: []string{"/a", "/b"}[rng.IntN(2)], Priority: Priority(rng.IntN(priorities) - 2), Retry: rng.IntN(8) == 0,
			},
			at:   time.Duration(rng.IntN(int(span))),
			hold: time.Duration(rng.IntN(int(2 * time.Second))),
		}
		if !p.unit {
			a.Cost = rng.IntN(4)
		}
		if wild {
			a.end = ending(rng.IntN(int(endings)))
			switch rng.IntN(12) {
			case 0, 1:
				a.cancel = time.Duration(1 + rng.IntN(int(20*time.Second)))
			case 2, 3:
				a.MaxWait = time.Duration(1 + rng.IntN(int(40*time.Second)))
			case 4:
				a.NoWait = true
			case 5:
				a.panics = []string{"wait", "ask", "take"}[rng.IntN(3)]
			}
		}
		p.cast = append(p.cast, a)
	}
	return p
}

// moody is a Limiter that admits everything, and panics on demand.
type moody struct {
	yes
	mood *string
}

func (m moody) erupt(when string) {
	if *m.mood == when {
		*m.mood = ""
		panic(when)
	}
}

func (m moody) Ask(time.Time, limit.Demand) limit.Decision { m.erupt("ask"); return limit.Decision{} }
func (m moody) Take(time.Time, limit.Demand)               { m.erupt("take") }

// A scene is a play that is being performed.
type scene struct {
	*play
	t    *testing.T
	line *Queue
	mood string
	wg   sync.WaitGroup

	mu    sync.Mutex
	waits []time.Duration // of each, until its permit; -1 is none
	errs  []error
}

// perform performs the play until all requests have an outcome.
func (p *play) perform(t *testing.T) *scene {
	s := &scene{play: p, t: t, waits: make([]time.Duration, len(p.cast)), errs: make([]error, len(p.cast))}
	opts := []Option{WithMinimumShare(p.floor)}
	if p.own != nil {
		opts = append(opts, WithKeyLimit(func(string) limit.Limiter {
			q, err := p.own.Limiter()
			require.NoError(t, err)
			return q
		}))
	}
	for _, r := range p.rules {
		opts = append(opts, WithRule(r))
	}
	s.line = newLine(t, append(opts, WithRule(Rule{Scope: Scope(len(p.cast) % 3), New: func() limit.Limiter { return moody{mood: &s.mood} }}))...)
	for i := range p.cast {
		s.wg.Go(func() { s.act(i) })
	}
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	start := time.Now()
	for step := 50 * ms; ; step = min(step+step/20, p.most) {
		synctest.Wait()
		s.check()
		select {
		case <-done:
			s.checkOver()
			return s
		default:
		}
		if late := time.Since(start); late > time.Hour+8*time.Duration(len(p.cast))*p.most {
			t.Errorf("somebody still waits after %v: %+v", late, s.line.Stats())
			s.line.Close()
			<-done
			return s
		}
		time.Sleep(step)
	}
}

// feel sets what the moody limits panic at.
func (s *scene) feel(mood string) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	s.mood = mood
}

// act is what one caller does.
func (s *scene) act(i int) {
	a := s.cast[i]
	time.Sleep(a.at)
	came := time.Now()
	ctx := context.Background()
	if a.cancel > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.cancel, context.Canceled)
		defer cancel()
	}
	r := a.Request
	if a.panics == "wait" {
		r.OnWait = func(Waiting) { panic("wait") }
	}
	permit, err := func() (_ Permit, err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
		}()
		if a.panics != "" && a.panics != "wait" {
			s.feel(a.panics)
			defer s.feel("")
			r.OnWait = func(Waiting) { s.feel("") } // no caller could recover a panic in the timer
		}
		return s.line.Acquire(ctx, &r)
	}()
	s.mu.Lock()
	s.waits[i], s.errs[i] = time.Since(came), err
	s.mu.Unlock()
	if err != nil {
		return
	}
	time.Sleep(a.hold)
	switch a.end {
	case releases:
		permit.Release()
	case settles:
		permit.Settle(func(time.Time, limit.Limiter) {})
	case returns:
		permit.Cancel()
	}
}

// check checks the queue between two events: each request that is next somewhere is held by a limit, and
// the queue knows when, or by what, that changes.
func (s *scene) check() {
	l := s.line
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	limiters := map[*limiter]bool{}
	first := int64(never)
	l.eachFlow(func(f *flow) {
		g := f.limiterAhead()
		switch {
		case g == nil && f.entry().dirty, g != nil && g.dirty > 0:
			first = min(first, l.since(now)+int64(retryPanic)) // a limit has panicked
			return
		case g == nil:
			s.t.Errorf("a flow waits for nothing")
			return
		}
		limiters[g] = true
		if s.unit {
			refused := false
			l.eachLimiter(f, func(g *limiter) {
				d := f.head().r.demand()
				a := g.ask(now, &d)
				refused = refused || !a.Admits(now)
			})
			assert.True(s.t, refused, "a request waits that no limit holds back")
		}
	})
	for g := range limiters {
		f := g.next().leader()
		caller := g
		if !g.shared {
			caller = nil
		}
		if worst, _, behind := l.obstacle(now, f, caller); worst == nil || behind {
			s.t.Errorf("the next of a limiter could go: %v, of %s", f.head().r, g.name)
		}
		switch {
		case !g.unknown && g.at == never:
			s.t.Errorf("nobody knows when to ask a limiter again")
		case g.unknown && l.flying == 0:
			s.t.Errorf("a limiter waits for news, but nothing is in flight")
		case !g.unknown:
			first = min(first, g.at)
		}
	}
	assert.LessOrEqual(s.t, l.due, first, "the timer is late")
}

// eachFlow calls f for all flows in the queue.
func (l *Queue) eachFlow(f func(*flow)) {
	for _, k := range l.keys {
		for n := range k.eachBucket {
			for _, x := range n.flows {
				f(x)
			}
		}
	}
}

// checkOver looks at the queue after the last request: it is as empty as before the first, and after a
// while each quota is whole.
func (s *scene) checkOver() {
	checkEmpty(s.t, s.line)
	for i, err := range s.errs {
		a := &s.cast[i]
		if err == nil || a.cancel > 0 || a.MaxWait > 0 || a.NoWait || a.panics != "" {
			continue
		}
		if _, tooMuch := errors.AsType[*CostError](err); !tooMuch {
			s.t.Errorf("request %d was turned away: %v", i, err)
		}
	}
	time.Sleep(3*s.most + time.Hour)
	now := time.Now()
	l := s.line
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.keys {
		assert.True(s.t, k.idle(now), "a key is not idle")
	}
	for _, g := range l.shared {
		assert.True(s.t, g.limit.Idle(now), "a limit is not idle: %v", g.name)
	}
}
