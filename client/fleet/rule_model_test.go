package fleet

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A ruled process keeps a rule of the fleet. Its lock stands for that of the queue.
type ruledProcess struct {
	sync.Mutex

	fleet  *Fleet
	share  queue.Portion
	cancel context.CancelFunc
}

// startRuled starts a process with callers.
func startRuled(ctx context.Context, t testing.TB, api *modelAPI, s *faultyStore, q queue.Quota, callers int, think time.Duration) *ruledProcess {
	t.Helper()
	f, err := New(s, []byte("0123456789abcdef"), WithLease(4*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &ruledProcess{fleet: f, cancel: cancel}
	p.share = f.Divide("rule", q, client.Host{Wake: func() {}})
	draw := newDraw(s.rand.Uint64(), 1)
	for range callers {
		go func() {
			for ctx.Err() == nil {
				p.Lock()
				now := time.Now()
				if d := p.share.Ask(now, limit.Demand{}); !d.Admits(now) {
					p.Unlock()
					time.Sleep(time.Duration(1+draw.Int64N(20)) * time.Millisecond)
					continue
				}
				p.share.Take(now, limit.Demand{})
				p.Unlock()
				time.Sleep(time.Duration(1+draw.Int64N(30)) * time.Millisecond)
				api.serve(time.Now(), false)
				time.Sleep(time.Duration(1+draw.Int64N(30)) * time.Millisecond)
				p.Lock()
				p.share.Done(time.Now(), now, limit.Demand{})
				p.Unlock()
				time.Sleep(time.Duration(draw.Int64N(int64(think) + 1)))
			}
		}()
	}
	return p
}

// runRule plays members of a rule for a while. Where the store is flushed, others join, but nobody is killed.
func runRule(t *testing.T, seed uint64, faults, flushes bool) (api *modelAPI) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		draw := newDraw(seed, 17)
		api = &modelAPI{limit: 1 + draw.IntN(150), length: 500*time.Millisecond + time.Duration(draw.Int64N(int64(3*time.Second))), rolling: true}
		q := queue.Per(api.limit, api.length)
		s := &faultyStore{rand: newDraw(seed, 19)}
		s.Now = func() time.Time { return time.Now().Add(12345 * time.Microsecond) }
		if faults {
			s.bad = draw.Float64() * 0.2
		}
		ctx, cancel := context.WithCancel(t.Context())
		think := time.Duration(draw.Int64N(int64(100 * time.Millisecond)))
		var all []*ruledProcess
		for range 2 + draw.IntN(5) {
			all = append(all, startRuled(ctx, t, api, s, q, 1+draw.IntN(10), think))
		}
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
			time.Sleep(time.Duration(draw.Int64N(int64(3 * time.Second))))
			i := draw.IntN(len(all))
			switch event := draw.IntN(4); {
			case flushes && event == 0:
				s.Flush()
			case flushes && event == 1 && len(all) < 10: // another joins
				all = append(all, startRuled(ctx, t, api, s, q, 1+draw.IntN(10), think))
			case !faults || flushes:
			case event == 0: // killed: it says nothing
				all[i].cancel()
				for _, seat := range all[i].fleet.all() {
					kill(seat)
				}
				all[i] = startRuled(ctx, t, api, s, q, 1+draw.IntN(10), think)
			case event == 1: // ended
				all[i].cancel()
				_ = all[i].fleet.Close(ctx) // it may fail
				all[i] = startRuled(ctx, t, api, s, q, 1+draw.IntN(10), think)
			}
		}
		cancel()
		for _, p := range all {
			for _, seat := range p.fleet.all() {
				kill(seat)
			}
		}
		time.Sleep(5 * time.Second)
	})
	return api
}

// What a rule says is never exceeded, whatever is lost, late or repeated, and whoever is killed; nor if the
// store forgets all, as long as those live who know.
func TestRuleIsNeverExceeded(t *testing.T) {
	for name, c := range map[string]struct{ faults, flushes bool }{"none": {}, "faults": {true, false}, "flushes": {false, true}, "both": {true, true}} {
		served, refused, possible := 0, 0, 0
		for seed, api := range eachSchedule(t, func(t *testing.T, seed uint64) *modelAPI { return runRule(t, seed, c.faults, c.flushes) }) {
			if api.refused > 0 {
				t.Logf("%s: schedule %d: %d refused; %d in %v", name, seed, api.refused, api.limit, api.length)
			}
			served, refused = served+api.served, refused+api.refused
			possible += min(int(20*time.Second/api.length)*api.limit, 5000)
		}
		t.Logf("%s: %d admitted of %d, %d refused", name, served, possible, refused)
		if refused > 0 || 5*served < possible {
			t.Errorf("%s: admitted %d of %d, refused %d", name, served, possible, refused)
		}
	}
}
