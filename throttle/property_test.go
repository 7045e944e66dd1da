package throttle

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/internal/probe"
)

var (
	servers = flag.Int("servers", 300, "how many random servers to try")
	seed    = flag.Uint64("seed", 0, "the random server to look at closely; see its refusals with -v")
)

// A server of the test below, looked at closely.
func TestOneRandomServer(t *testing.T) {
	s, words := random(*seed)
	s.explain = t.Logf
	t.Logf("%s\n\t%v", words, s.run())
}

// random returns a simulation of a server, a network and a load drawn by seed,
// and what it is in words.
func random(seed uint64) (simulation, string) {
	r := rand.New(rand.NewPCG(seed, 7))
	pick := func(n int) int { return r.IntN(n) }
	lengths := []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, time.Hour}
	one := func(i int) (func() ratemodel.Model, string, time.Duration) {
		length := lengths[pick(len(lengths))]
		limit := []int{1 + pick(5), 5 + pick(30), 30 + pick(300), 300 + pick(3000)}[pick(4)]
		name := fmt.Sprint("window", i)
		kind, rule := pick(5), ratemodel.ResetRule(pick(3))
		origin := epoch.Add(time.Duration(pick(1000)) * time.Second)
		if length < 10*time.Second || pick(2) == 0 {
			origin = epoch.Add(time.Duration(pick(100000)) * time.Millisecond)
		}
		burst := limit
		if pick(3) == 0 {
			burst = 1 + pick(limit)
		}
		make := func() ratemodel.Model {
			switch kind {
			case 0:
				m := ratemodel.NewFixed(limit, length)
				m.Name, m.Origin = name, origin
				return m
			case 1:
				m := ratemodel.NewFixed(limit, length)
				m.Name, m.FromFirst = name, true
				return m
			case 2:
				m := ratemodel.NewSlidingLog(limit, length)
				m.Name, m.Reset = name, rule
				return m
			case 3:
				m := ratemodel.NewSlidingCounter(limit, length)
				m.Name = name
				return m
			default:
				m := ratemodel.NewBucket(burst, limit, length)
				m.Name, m.Reset = name, rule
				return m
			}
		}
		return make, fmt.Sprintf("%s %d(%d)/%v rule %d", []string{"fixed", "first", "log", "counter", "bucket"}[kind], limit, burst, length, rule), length
	}
	var makers []func() ratemodel.Model
	var words string
	longest := time.Duration(0)
	for i := range 1 + pick(4)/3 {
		m, w, l := one(i)
		makers, words, longest = append(makers, m), words+w+"; ", max(longest, l)
	}
	s := simulation{
		model: func() ratemodel.Model {
			var all ratemodel.All
			for _, m := range makers {
				all = append(all, m())
			}
			return all
		},
		callers: []int{1, 2, 5, 20, 100}[pick(5)],
		fastest: time.Duration(1+pick(100)) * time.Millisecond,
		start:   time.Duration(pick(100000)) * time.Millisecond,
		length:  max(10*longest, 20*time.Second),
		policy:  DefaultPolicy(),
		seed:    seed,
		announce: announcement{epoch: pick(2) == 0, step: time.Second, rounding: pick(3) - 1, lengths: pick(2) == 0,
			wait: true, date: true, offset: time.Duration(pick(200)-100) * time.Second},
	}
	for _, m := range s.model().(ratemodel.All) {
		_, weighs := m.(*ratemodel.SlidingCounter)
		if weighs || m.Windows(nil, epoch)[0].Reset.IsZero() {
			// Of a server that tells neither its length nor its reset nothing can be
			// known; nor, of one that weighs its last window, before the second.
			s.announce.lengths = true
		}
	}
	s.slowest = s.fastest + time.Duration(pick(200))*time.Millisecond
	if pick(4) == 0 {
		s.announce.step = time.Millisecond
	}
	if pick(3) == 0 {
		s.think = longest / time.Duration(1+pick(20))
	}
	if pick(2) == 0 {
		s.late = latenesses[pick(lateSteady)]
	}
	return s, fmt.Sprintf("seed %d: %scallers %d, trips %v–%v, think %v, late %v, %+v", seed, words, s.callers, s.fastest, s.slowest, s.think, s.late, s.announce)
}

// While no other client spends the quota, no request is refused, whatever algorithm
// the server uses, however it rounds, and however requests overtake each other. Only of
// windows of up to ten seconds some may be, as tests, and of the requests
// that were sent because the first response was long in coming: at most one of each caller
// but the first. What has been said for five minutes is tested, too, and ever more rarely.
func TestNeverRefusedByRandomServers(t *testing.T) {
	t.Parallel()
	refused, sent, runs, bad, tests, of, unknowing, doubts := 0, 0, 0, 0, 0, 0, 0, 0
	var used float64
	if chance.Raced {
		*servers = min(*servers, 50) // a simulation has one goroutine
	}
	var mu sync.Mutex // guards the sums
	var next atomic.Uint64
	var processors sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		processors.Go(func() {
			for seed := next.Add(1) - 1; seed < uint64(*servers); seed = next.Add(1) - 1 {
				s, words := random(seed)
				o := s.run()
				mu.Lock()
				o.refused, unknowing = o.refused-o.unknowing, unknowing+o.unknowing
				doubts += o.tests
				sent, refused, runs, used = sent+o.sent, refused+o.refused, runs+1, used+o.used()
				most := 0
				if tested(s.model()) {
					most, tests, of = 9+o.sent/300, tests+o.refused, of+o.sent
				}
				if o.refused > most || o.unknowing >= s.callers || o.tests > 8 || o.stuck {
					bad++
					if bad < 30 {
						t.Errorf("%s\n\t%v, stuck %v", words, o, o.stuck)
					}
				}
				mu.Unlock()
			}
		})
	}
	processors.Wait()
	t.Logf("%d servers, %d bad, %d sent, %d refused, %.2f %% used on average", runs, bad, sent, refused, 100*used/float64(runs))
	t.Logf("%d of the refused were tests of short windows, among %d sent", tests, of)
	t.Logf("%d more were sent before the first response came, and %d tested what had been said for five minutes", unknowing, doubts)
	assert.Less(t, unknowing, sent/1000)
	assert.Equal(t, tests, refused)
	assert.LessOrEqual(t, tests, of/5000+10)
}

// tested reports whether a server has a window so short, as far as it tells, that waits of which it
// does not say that they are needed are tested. Those of windows of one request are too: no response
// tells whether the window before counts.
func tested(m ratemodel.Model) bool {
	return slices.ContainsFunc(m.(ratemodel.All), func(m ratemodel.Model) bool {
		b, ok := m.(*ratemodel.Bucket)
		w := m.Windows(nil, epoch)[0]
		return w.Limit == 1 || probe.Short(instant(w.Length)) || ok && b.Reset == ratemodel.ResetNext
	})
}
