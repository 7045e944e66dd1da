package redisfleet

import (
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
)

var (
	table   = flag.Bool("table", false, "play all scenarios of TestProcessesOverRedis, in some minutes of real time")
	without = flag.Bool("without", false, "play them without a fleet")
)

// A scenario is a fleet of processes, an API, and what happens meanwhile.
type scenario struct {
	name      string
	limits    []clienttest.Option
	dialect   clienttest.Option // nil: nothing is announced but Retry-After
	per       time.Duration
	windows   int // it begins 30 % into a window, and ends with one after so many more
	possible  int // what the API could admit in that time
	lease     time.Duration
	members   int // 8 unless told
	callers   func(member int) (int, time.Duration)
	behind    func(member int) bool          // those that reach the store through a proxy
	delay     time.Duration                  // which takes so long, each way
	leave     func(member int) time.Duration // after the window opened in which it begins; nil: none does
	during    func(g *game)
	absent    bool // the store is not there at first
	strangers int  // requests of others in each window, who do not talk
	settled   int  // windows after which refusals count; those before are what it takes to learn

	want bounds
}

// bounds are what must be reached; what is zero is not looked at.
type bounds struct {
	refused, used float64 // shares
	calls         float64 // to the store, a request
	spread        float64 // the most that a member had, by the least
	jain          float64 // the fairness of any five windows, at the least
	least         float64 // of an equal part, that each had
	redis         float64 // seconds of CPU of the store, a second
	cpu           float64 // of that without a fleet, for a request
}

// A game is a scenario being played.
type game struct {
	t       testing.TB
	s       scenario
	alone   bool
	api     *clienttest.Server
	redis   *redisServer
	proxy   *proxy
	start   time.Time // of the window in which it begins
	from    time.Time
	until   time.Time
	members []*process
}

// Processes of their own, an API over HTTP and a real Redis. With -table all scenarios are played, in
// some minutes; otherwise one, for a few seconds.
func TestProcessesOverRedis(t *testing.T) {
	needServer(t)
	if !*table {
		s := steady("", 400, 2*time.Second, 2, bounds{refused: 0.02, used: 0.3})
		s.members = 4
		play(t, s, false)
		return
	}
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			r := play(t, s, *without)
			if *without {
				return
			}
			if s.want.cpu > 0 {
				if alone := play(t, s, true); r.cpu.Seconds() > s.want.cpu*alone.cpu.Seconds() {
					t.Errorf("%v of CPU a request, %v without a fleet", r.cpu, alone.cpu)
				}
			}
			r.check(t, s.want)
		})
	}
}

func play(t testing.TB, s scenario, alone bool) *result {
	t.Helper()
	addr, _ := freeAddr(t)
	g := &game{t: t, s: s, alone: alone, redis: &redisServer{t: t, addr: addr, dir: t.TempDir()}}
	g.proxy = newProxy(t, addr, s.delay)
	if !s.absent {
		g.redis.start()
	}
	opts := append([]clienttest.Option{clienttest.Latency(10*time.Millisecond, 20*time.Millisecond)}, s.limits...)
	if s.dialect != nil {
		opts = append(opts, s.dialect)
	}
	g.api = clienttest.NewServer(opts...)
	defer g.api.Close()
	g.start = time.Now().Add(time.Second - s.per*3/10).Truncate(s.per) // the processes are there by then
	if g.from = g.start.Add(s.per * 3 / 10); time.Until(g.from) < 500*time.Millisecond {
		g.start, g.from = g.start.Add(s.per), g.from.Add(s.per)
	}
	g.until = g.start.Add(time.Duration(s.windows+1) * s.per)
	for i := range cmp.Or(s.members, 8) {
		until := g.until
		if s.leave != nil {
			until = g.start.Add(s.leave(i))
		}
		g.join(until)
	}
	var strangers sync.WaitGroup
	if s.strangers > 0 {
		strangers.Go(g.strange)
	}
	still := make(chan time.Duration, 1)
	go func() { still <- stillness(g.until) }()
	if s.during != nil {
		s.during(g)
	}
	r := &result{seconds: g.until.Sub(g.from).Seconds(), still: <-still}
	for _, m := range g.members {
		told := m.wait(t)
		r.calls, r.took = r.calls+told.Calls, append(r.took, told.CPU)
	}
	strangers.Wait()
	if g.redis.cmd != nil {
		g.redis.kill()
	}
	r.count(g)
	t.Log(r)
	return r
}

// stillness returns for how long the machine stood still at the most, from now on: where that is much, a result
// tells more of the machine than of the fleet.
func stillness(until time.Time) (most time.Duration) {
	const step = 20 * time.Millisecond
	for now := time.Now(); now.Before(until); {
		time.Sleep(step)
		most, now = max(most, time.Since(now)-step), time.Now()
	}
	return most
}

// join starts a member.
func (g *game) join(until time.Time) {
	i := len(g.members)
	c := memberConfig{
		Name: fmt.Sprint(i), API: g.api.URL, Redis: g.redis.addr, Callers: 20, From: g.from, Until: until,
		Lease: cmp.Or(g.s.lease, 30*time.Second), Alone: g.alone,
	}
	if g.s.callers != nil {
		c.Callers, c.Think = g.s.callers(i)
	}
	if g.s.behind != nil && g.s.behind(i) {
		c.Redis = g.proxy.addr
	}
	g.members = append(g.members, spawn(g.t, c))
}

// wait waits until some time after a window opened: window 1 is the first that opens while it is played.
func (g *game) wait(window int, after time.Duration) {
	time.Sleep(time.Until(g.start.Add(time.Duration(window)*g.s.per + after)))
}

// strange has others spend the quota, evenly, who do not talk.
func (g *game) strange() {
	var all sync.WaitGroup
	defer all.Wait()
	step := g.s.per / time.Duration(g.s.strangers)
	for at := g.from; at.Before(g.until); at = at.Add(step) {
		time.Sleep(time.Until(at))
		all.Go(func() {
			req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.api.URL, nil)
			if err != nil {
				g.t.Error(err)
				return
			}
			if resp, err := g.api.Client().Do(req); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
}
