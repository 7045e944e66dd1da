package fleet

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

var schedules = flag.Int("schedules", usualSchedules(), "how many random schedules TestNeverMoreThanTheWindow tries")

// usualSchedules is how many random schedules are tried; the race detector takes its time.
func usualSchedules() int {
	if chance.Raced {
		return 2
	}
	return 10
}

// A source is one of random numbers for many goroutines.
type source struct {
	mu  sync.Mutex
	pcg *rand.PCG
}

func (s *source) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pcg.Uint64()
}

func newDraw(seed, stream uint64) *rand.Rand {
	return rand.New(&source{pcg: rand.NewPCG(seed, stream)})
}

// A modelAPI is a fixed or a rolling window, exact to the nanosecond.
type modelAPI struct {
	mu      sync.Mutex
	limit   int
	length  time.Duration
	rolling bool
	told    bool // the length is
	log     []time.Time
	since   time.Time
	refused int
	probes  int // that were refused
	served  int
	allots  int // replies of the ledger that told of an allotment
}

func (a *modelAPI) serve(now time.Time, probe bool) (remaining int, reset time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rolling {
		for len(a.log) > 0 && !a.log[0].Add(a.length).After(now) {
			a.log = a.log[1:]
		}
	} else if begun := now.Truncate(a.length); begun.After(a.since) {
		a.log, a.since = nil, begun
	}
	if ok = len(a.log) < a.limit; ok {
		a.log = append(a.log, now)
		a.served++
	} else if probe {
		a.probes++ // it went to see whether there is anything
	} else {
		a.refused++
	}
	reset = a.since.Add(a.length)
	if a.rolling {
		reset = a.log[0].Add(a.length)
	}
	return a.limit - len(a.log), reset, ok
}

// A faultyStore loses reports and replies, runs reports late and twice, falls back to an
// older state, and forgets all.
type faultyStore struct {
	Memory
	rand  *rand.Rand
	old   []*ledger
	bad   float64
	falls bool // to an older state
	skew  atomic.Int64

	allots atomic.Int64
}

var errLost = errors.New("lost")

func (s *faultyStore) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	trip := time.Duration(s.rand.Int64N(int64(4 * time.Millisecond)))
	if s.rand.Float64() < s.bad { // slower than the timeout, perhaps
		trip = time.Duration(s.rand.Int64N(int64(600 * time.Millisecond)))
	}
	time.Sleep(trip / 2)
	if s.rand.Float64() < s.bad {
		return nil, errLost // the report
	}
	reply, err := s.Memory.Exchange(context.Background(), key, report)
	if s.falls {
		s.keep(key)
	}
	if err == nil && !bytes.Contains(reply, []byte(`"e":0,`)) && !bytes.Contains(reply, []byte(`"stale":true`)) {
		s.allots.Add(1)
	}
	if s.rand.Float64() < s.bad {
		again := time.Duration(s.rand.Int64N(int64(time.Second)))
		time.AfterFunc(again, func() { _, _ = s.Memory.Exchange(context.Background(), key, report) })
	}
	time.Sleep(trip / 2)
	if s.rand.Float64() < s.bad {
		return nil, errLost // the reply
	}
	return reply, err
}

// Listen has news come late, and loses some.
func (s *faultyStore) Listen(hear func(key string, news []byte), lost func()) (stop func()) {
	return s.Memory.Listen(func(key string, news []byte) {
		late, fate := time.Duration(s.rand.Int64N(int64(4*time.Millisecond))), s.rand.Float64()
		if fate < s.bad/2 {
			late *= 100
		}
		if fate >= s.bad/2 && fate < s.bad {
			return // it is lost
		}
		time.AfterFunc(late, func() { hear(key, news) })
	}, lost)
}

// keep keeps a copy of the ledger, to fall back to.
func (s *faultyStore) keep(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ledgers[key] == nil {
		return
	}
	l := *s.ledgers[key]
	l.members, l.windows = make(map[string]*memberState), make(map[string]*windowState)
	for id, m := range s.ledgers[key].members {
		c := *m
		l.members[id] = &c
	}
	for name, w := range s.ledgers[key].windows {
		c := *w
		l.windows[name] = &c
	}
	s.old = append(s.old, &l)
	if len(s.old) > 30 {
		s.old = s.old[1:]
	}
}

// failOver puts an older ledger in the place of the newest.
func (s *faultyStore) failOver(clockBack time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.old) > 0 {
		for key := range s.ledgers {
			s.ledgers[key] = s.old[s.rand.IntN(len(s.old))]
		}
		s.old = nil
	}
	s.skew.Add(-int64(clockBack))
}

// A process is a member with callers.
type process struct {
	fleet  *Fleet
	share  *member
	cancel context.CancelFunc
	queue  sync.Mutex // stands for that of the queue
}

func start(ctx context.Context, t testing.TB, api *modelAPI, s *faultyStore, callers int, think time.Duration) *process {
	t.Helper()
	f, err := New(s, []byte("0123456789abcdef"), WithLease(4*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &process{fleet: f, cancel: cancel}
	waiting := 0
	p.share = f.Join("key", hostOf(func() {}, func() int {
		p.queue.Lock()
		defer p.queue.Unlock()
		return waiting
	})).(*member)
	draw := newDraw(s.rand.Uint64(), 1)
	length := time.Duration(0)
	if api.told {
		length = api.length
	}
	for range callers {
		go func() {
			for ctx.Err() == nil {
				now := time.Now()
				p.queue.Lock()
				d, shared := p.share.Ask(now, limit.Demand{})
				if !shared || d.Unknown || d.At.After(now) {
					waiting = callers
					p.queue.Unlock()
					pause := time.Duration(1+draw.Int64N(10)) * time.Millisecond
					if late := d.At.Sub(now); shared && !d.Unknown && late > pause {
						pause += min(late, 80*time.Millisecond) // news may come before that
					}
					time.Sleep(pause)
					continue
				}
				number := p.share.Take(now, 1)
				p.share.mu.Lock()
				probe := p.share.flying[number].probe
				p.share.mu.Unlock()
				p.queue.Unlock()
				time.Sleep(time.Duration(1+draw.Int64N(30)) * time.Millisecond)
				remaining, reset, ok := api.serve(time.Now(), probe)
				time.Sleep(time.Duration(1+draw.Int64N(30)) * time.Millisecond)
				if draw.Float64() < s.bad/4 {
					p.share.Abandon(time.Now(), number)
				} else {
					hold := time.Time{}
					if !ok {
						hold = reset
					}
					p.share.Observe(time.Now(), number, []throttle.Announced{{
						Name: "a", Limit: api.limit, Remaining: remaining,
						Earliest: reset.Add(-time.Millisecond), Latest: reset.Add(time.Millisecond), Length: length,
					}}, true, hold)
				}
				time.Sleep(time.Duration(draw.Int64N(int64(think) + 1)))
			}
		}()
	}
	return p
}

// runSchedule plays members and an API for a while, with faults or not. The store may also fall
// back to an older ledger.
func runSchedule(t *testing.T, seed uint64, faults, failover bool) (api *modelAPI) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		draw := newDraw(seed, 7)
		api = &modelAPI{
			limit: 5 + draw.IntN(300), length: time.Second + time.Duration(draw.Int64N(int64(4*time.Second))),
			rolling: draw.IntN(3) == 0, told: draw.IntN(2) == 0,
		}
		think := time.Duration(draw.Int64N(int64(200 * time.Millisecond)))
		if draw.IntN(2) == 0 { // so that it is spent, and may be known when it opens
			think /= 20
			api.length = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second}[draw.IntN(3)]
		}
		time.Sleep(time.Duration(draw.Int64N(int64(api.length))))
		s := &faultyStore{rand: newDraw(seed, 9), falls: failover}
		s.Now = func() time.Time { return time.Now().Add(time.Duration(s.skew.Load()) + 12345*time.Microsecond) }
		if faults {
			s.bad = draw.Float64() * 0.2
		}
		ctx, cancel := context.WithCancel(t.Context())
		var all []*process
		for range 2 + draw.IntN(5) {
			all = append(all, start(ctx, t, api, s, 1+draw.IntN(12), think))
		}
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
			time.Sleep(time.Duration(draw.Int64N(int64(3 * time.Second))))
			if !faults {
				continue
			}
			i := draw.IntN(len(all))
			switch event := draw.IntN(6); {
			case event == 0: // killed: it says nothing
				all[i].cancel()
				all[i].share.mu.Lock()
				all[i].share.closed = true
				all[i].share.mu.Unlock()
				all[i] = start(ctx, t, api, s, 1+draw.IntN(12), think)
			case event == 1: // ended
				all[i].cancel()
				_ = all[i].fleet.Close(ctx) // it may fail
				all[i] = start(ctx, t, api, s, 1+draw.IntN(12), think)
			case event == 2 && failover:
				s.failOver(time.Duration(draw.Int64N(int64(time.Second))))
			case event == 3:
				s.Flush()
			}
		}
		cancel()
		for _, p := range all {
			p.share.mu.Lock()
			p.share.closed = true
			p.share.loop.Stop()
			p.share.mu.Unlock()
		}
		time.Sleep(5 * time.Second)
		api.allots = int(s.allots.Load())
	})
	return api
}

// eachSchedule plays all schedules, as many at once as there are processors.
func eachSchedule(t *testing.T, play func(t *testing.T, seed uint64) *modelAPI) []*modelAPI {
	t.Helper()
	all := make([]*modelAPI, *schedules)
	t.Run("schedules", func(t *testing.T) {
		for seed := range all {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				all[seed] = play(t, uint64(seed))
			})
		}
	})
	return all
}

// Whatever is lost, late, repeated, or forgotten: what the fleet grants, the API admits. Two faults
// at once may cost one request in thousands.
func TestNeverMoreThanTheWindow(t *testing.T) { tryFaults(t, false, 2000) }

// A store that falls back to an older ledger has forgotten its last grants, until those who got
// them call.
func TestOlderLedger(t *testing.T) { tryFaults(t, true, 200) }

// tryFaults allows for one refusal among so many requests, and three more. A few come together where
// one member is cut off, and in a few schedules nothing may be allotted; so it tries more of them before it
// says that there are too many, or none.
func tryFaults(t *testing.T, failover bool, among int) {
	t.Helper()
	served, refused, allots := 0, 0, 0
	for round := range 3 {
		for _, api := range eachSchedule(t, func(t *testing.T, seed uint64) *modelAPI {
			return runSchedule(t, uint64(round**schedules)+seed, true, failover)
		}) {
			served, refused, allots = served+api.served, refused+api.refused, allots+api.allots
		}
		t.Logf("%d admitted, %d refused; %d replies told of allotments", served, refused, allots)
		if refused <= 3+served/among && (failover || allots > 0) {
			break
		}
	}
	if served < 100**schedules || !failover && *schedules >= 10 && allots == 0 || refused > 3+served/among {
		t.Errorf("in all, admitted %d, refused %d", served, refused)
	}
}

// Without faults nothing at all is refused.
func TestGrantsAreAdmitted(t *testing.T) {
	allots := 0
	defer func() {
		if t.Logf("%d replies told of allotments", allots); *schedules >= 10 && allots == 0 {
			t.Error("that is too few")
		}
	}()
	for seed, api := range eachSchedule(t, func(t *testing.T, seed uint64) *modelAPI { return runSchedule(t, seed, false, false) }) {
		allots += api.allots
		if api.refused > 0 || api.probes > 0 || api.served < min(50, 4*api.limit) {
			t.Errorf("schedule %d: refused %d and %d probes, admitted %d; limit %d in %v, rolling %v", seed, api.refused, api.probes, api.served, api.limit, api.length, api.rolling)
		}
	}
}
