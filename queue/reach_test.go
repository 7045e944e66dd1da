package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// server answers requests over a network in which they overtake each other: 40 to 80 ms each way.
type server struct {
	mu       sync.Mutex
	rng      *rand.Rand
	models   map[string]ratemodel.Model
	newModel func() ratemodel.Model
	global   func(path string) ratemodel.Model // beside the key's
	last     map[string]time.Time
	closest  map[string]time.Duration // between two admitted requests of a path

	admitted, refused int
	until             time.Time // when counting ends

	way   func(rng *rand.Rand, at time.Time) trip // nil: 40 to 80 ms each way
	trips []trip                                  // of way, in the order of sending
}

// trip is how long one request is on the way to the server and back.
type trip struct{ there, back time.Duration }

func newServer(seed uint64, newModel func() ratemodel.Model) *server {
	return &server{
		rng:      rand.New(rand.NewPCG(seed, 1)),
		models:   map[string]ratemodel.Model{},
		newModel: newModel,
		last:     map[string]time.Time{},
		closest:  map[string]time.Duration{},
	}
}

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

func (s *server) trip() trip {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.way == nil {
		s.way = evenly
	}
	t := s.way(s.rng, time.Now())
	s.trips = append(s.trips, t)
	return t
}

func evenly(rng *rand.Rand, _ time.Time) trip {
	return trip{between(rng, 40*time.Millisecond, 80*time.Millisecond), between(rng, 40*time.Millisecond, 80*time.Millisecond)}
}

func (s *server) refusals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// send makes one round trip.
func (s *server) send(key, path string) {
	t := s.trip()
	time.Sleep(t.there)
	s.count(key, path)
	time.Sleep(t.back)
}

func (s *server) count(key, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.models[key]
	if m == nil {
		m = s.newModel()
		s.models[key] = m
	}
	now := time.Now()
	if !s.until.IsZero() && !now.Before(s.until) {
		return
	}
	if s.global != nil {
		if g := s.global(path); g != nil {
			m = ratemodel.All{m, g}
		}
	}
	if !m.Admit(now) {
		s.refused++
		return
	}
	s.admitted++
	if last, ok := s.last[path]; ok && (s.closest[path] == 0 || now.Sub(last) < s.closest[path]) {
		s.closest[path] = now.Sub(last)
	}
	s.last[path] = now
}

// load keeps 20 callers busy until the end.
func (s *server) load(ctx context.Context, l *Queue, r Request, callers int, until time.Time) *sync.WaitGroup {
	var wg sync.WaitGroup
	// Not a deadline, which the queue would take into account.
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(time.Until(until), cancel)
	for range callers {
		wg.Go(func() {
			for {
				r := r
				p, err := l.Acquire(ctx, &r)
				if err != nil {
					return
				}
				s.send(r.Key, r.Path)
				p.Release()
			}
		})
	}
	return &wg
}

func TestConfiguredLimitsAreKeptAndUsed(t *testing.T) {
	const minute = time.Minute
	fixed := func(n int, d time.Duration) func() ratemodel.Model {
		return func() ratemodel.Model { return ratemodel.NewFixed(n, d) }
	}
	log := func(n int, d time.Duration) func() ratemodel.Model {
		return func() ratemodel.Model { return ratemodel.NewSlidingLog(n, d) }
	}
	for _, c := range []struct {
		name   string
		quotas []Quota
		server func() ratemodel.Model
		window time.Duration // the run starts within one and lasts ten
		used   float64
	}{
		{"60 per minute rolling", []Quota{PerMinute(60)}, log(60, minute), minute, .99},
		{"200 per minute rolling", []Quota{PerMinute(200)}, log(200, minute), minute, .99},
		{"15000 per hour rolling", []Quota{PerHour(15000)}, log(15000, time.Hour), time.Hour, .99},
		{"1 per 10 s rolling", []Quota{Every(10 * time.Second)}, log(1, 10*time.Second), 10 * minute, .99},
		{"200 per minute fixed", []Quota{PerMinute(200)}, fixed(200, minute), minute, .97},
		{"200 per minute fixed, aligned", []Quota{PerMinute(200).FixedWindow(nil)}, fixed(200, minute), minute, .97},
		{"300 per hour from the first", []Quota{PerHour(300)}, func() ratemodel.Model {
			m := ratemodel.NewFixed(300, time.Hour)
			m.FromFirst = true
			return m
		}, time.Hour, .97},
		{"300 per minute counter", []Quota{PerMinute(300).SlidingCounter()}, func() ratemodel.Model {
			return ratemodel.NewSlidingCounter(300, minute)
		}, minute, .97},
		{"10 per second and 100 per minute", []Quota{PerSecond(10), PerMinute(100)}, func() ratemodel.Model {
			return ratemodel.All{ratemodel.NewSlidingLog(10, time.Second), ratemodel.NewSlidingLog(100, minute)}
		}, minute, .99},
		{"120 per minute, burst 20, bucket", []Quota{PerMinute(120).TokenBucket(20)}, func() ratemodel.Model {
			return ratemodel.NewBucket(20, 120, minute)
		}, minute, .97},
		{"120 per minute, burst 1, bucket", []Quota{PerMinute(120).TokenBucket(1)}, func() ratemodel.Model {
			return ratemodel.NewBucket(1, 120, minute)
		}, minute, .9}, // see TestNoSoundClientIsMuchBetter
		{"600 per minute, 15000 per hour and 250000 per day", []Quota{PerMinute(600), PerHour(15000), PerDay(250000)}, func() ratemodel.Model {
			return ratemodel.All{ratemodel.NewFixed(600, minute), ratemodel.NewFixed(15000, time.Hour), ratemodel.NewFixed(250000, 24*time.Hour)}
		}, 3 * time.Hour, .96},
	} {
		t.Run(c.name, func(t *testing.T) {
			if chance.Raced && c.window >= time.Hour {
				t.Skip("it takes too long")
			}
			seeds := seeds()
			if c.window > 2*time.Hour {
				seeds = 1
			}
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) {
					l := newLine(t, WithRule(Rule{Limits: c.quotas}))
					time.Sleep(c.window * 17 / 60)
					start := time.Now()
					until := start.Add(10*c.window - c.window*17/60)
					s := newServer(seed, c.server)
					s.until = until
					s.load(t.Context(), l, Request{Key: "k"}, 20, until).Wait()
					best := ratemodel.Greedy(c.server(), start, until, 0)
					used := float64(s.admitted) / float64(best)
					t.Logf("seed %d: refused %d, admitted %d of %d, used %.2f %%", seed, s.refused, s.admitted, best, 100*used)
					assert.Zero(t, s.refused)
					assert.GreaterOrEqual(t, used, c.used)
				})
			}
		})
	}
}

func TestVirtualAccountsArePacedForEverybodyTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t,
			WithRule(Rule{Limits: []Quota{PerHour(300)}}),
			WithRule(Rule{Name: "creation", Pattern: "POST /v1/virtual-accounts", Scope: Global,
				Limits: []Quota{Every(2 * time.Second)}}))
		s := newServer(1, func() ratemodel.Model {
			m := ratemodel.NewFixed(300, time.Hour)
			m.FromFirst = true
			return m
		})
		pace := ratemodel.NewSlidingLog(1, 2*time.Second)
		s.global = func(path string) ratemodel.Model {
			if path == "/v1/virtual-accounts" {
				return pace
			}
			return nil
		}
		until := time.Now().Add(3 * time.Hour)
		var all []*sync.WaitGroup
		for user := range 3 {
			key := fmt.Sprint("user ", user)
			all = append(all,
				s.load(t.Context(), l, Request{Key: key, Method: "GET", Path: "/v1/accounts"}, 5, until),
				s.load(t.Context(), l, Request{Key: key, Method: "POST", Path: "/v1/virtual-accounts"}, 5, until))
		}
		for _, wg := range all {
			wg.Wait()
		}
		t.Logf("admitted %d, closest %v", s.admitted, s.closest["/v1/virtual-accounts"])
		assert.Zero(t, s.refused)
		assert.Equal(t, 3*3*300, s.admitted)
		require.NotZero(t, s.closest["/v1/virtual-accounts"])
		assert.GreaterOrEqual(t, s.closest["/v1/virtual-accounts"], 2*time.Second)
	})
}
