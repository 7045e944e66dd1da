package redisfleet

import (
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
)

// exact tells resets to the millisecond, and no lengths of windows.
func exact() clienttest.Option {
	return clienttest.Announce(func(h http.Header, now time.Time, windows []clienttest.Window) {
		w := windows[0]
		h.Set("X-RateLimit-Limit", strconv.Itoa(w.Limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(w.Remaining))
		h.Set("X-RateLimit-Reset", strconv.FormatFloat(w.Reset.Sub(now).Seconds(), 'f', 3, 64))
	})
}

// steady is a scenario in which n requests are admitted in each fixed window, and nothing happens.
func steady(name string, n int, per time.Duration, windows int, want bounds) scenario {
	return scenario{
		name: name, limits: []clienttest.Option{clienttest.Fixed(n, per)}, dialect: exact(),
		per: per, windows: windows, possible: n * (windows + 1), want: want,
	}
}

// with returns the scenario with something changed.
func (s scenario) with(change func(s *scenario)) scenario {
	change(&s)
	return s
}

// usual is 400 in 2 s, while something happens.
func usual(name string, want bounds, during func(g *game)) scenario {
	return steady(name, 400, 2*time.Second, 10, want).with(func(s *scenario) { s.during = during })
}

const burst = 60 * time.Millisecond // after a window opened: requests are under way

// scenarios returns all. Their bounds leave some room for noise beside what docs/fleet.md says was measured.
func scenarios() []scenario {
	all := append(rates(), kinds()...)
	return append(append(all, outages()...), changes()...)
}

// rates are fixed windows of several sizes.
func rates() []scenario {
	oneBusy := func(s *scenario) {
		s.callers = func(i int) (int, time.Duration) {
			if i == 0 {
				return 160, 0
			}
			return 1, 4 * time.Second
		}
	}
	epoch := func(s *scenario) { s.dialect = clienttest.XRateLimit() }
	draft8 := func(s *scenario) { s.dialect = clienttest.Draft8() }
	return []scenario{
		usual("400 in 2 s", bounds{used: 0.995, calls: 0.025, spread: 1.1, jain: 0.95}, nil),
		usual("400 in 2 s, whole seconds (draft 8)", bounds{refused: 0.001, used: 0.99, calls: 0.04, spread: 1.2, jain: 0.95}, nil).with(draft8),
		steady("4,000 in 2 s", 4000, 2*time.Second, 6, bounds{used: 0.995}),
		steady("2,000 in 2 s", 2000, 2*time.Second, 10, bounds{used: 0.995, redis: 0.02, cpu: 1.2}),
		steady("1,000 in 10 s, whole seconds", 1000, 10*time.Second, 4, bounds{used: 0.99, calls: 0.03}).with(epoch),
		steady("600 in 60 s, whole seconds", 600, time.Minute, 3, bounds{used: 0.99, calls: 0.065}).with(epoch),
		usual("one busy, seven nearly idle", bounds{used: 0.985}, nil).with(oneBusy),
		steady("one busy, seven nearly idle, 1,000 in 10 s", 1000, 10*time.Second, 4, bounds{used: 0.97}).with(oneBusy),
		steady("20 in 2 s", 20, 2*time.Second, 20, bounds{refused: 0.005, used: 0.97, least: 0.75}),
		steady("5 in 1 s", 5, time.Second, 20, bounds{refused: 0.02, used: 0.95, least: 0.8}),
	}
}

// kinds are limits of other kinds, or not announced, or that others spend too.
func kinds() []scenario {
	limits := func(possible int, limits ...clienttest.Option) func(s *scenario) {
		return func(s *scenario) { s.limits, s.possible = limits, possible }
	}
	return []scenario{
		usual("50 a second, 200 in 5 s", bounds{used: 0.95}, nil).with(func(s *scenario) {
			s.dialect = clienttest.Draft8()
			limits(1200, clienttest.Fixed(50, time.Second), clienttest.Fixed(200, 5*time.Second))(s)
			s.per, s.windows = 5*time.Second, 5
		}),
		usual("rolling, 400 in 2 s", bounds{refused: 0.001, used: 0.96}, nil).with(limits(4400, clienttest.Rolling(400, 2*time.Second))),
		usual("bucket of 400, 200 a second", bounds{refused: 0.001, used: 0.95}, nil).with(limits(4680, clienttest.Bucket(400, 400, 2*time.Second))),
		steady("nothing but Retry-After, 1,000 in 5 s", 1000, 5*time.Second, 6, bounds{refused: 0.01, used: 0.95}).with(func(s *scenario) {
			s.dialect, s.settled = nil, 2
		}),
		usual("strangers take 30 %", bounds{refused: 0.015, used: 0.97}, nil).with(func(s *scenario) { s.strangers = 120 }),
	}
}

// outages are what may become of the store.
func outages() []scenario {
	kill := func(window int, after time.Duration) func(*game) {
		return func(g *game) {
			g.wait(window, after)
			g.redis.kill()
			time.Sleep(3 * time.Second)
			g.redis.start()
		}
	}
	lost, gone := bounds{refused: 0.001, used: 0.98}, bounds{refused: 0.001, used: 0.97}
	return []scenario{
		usual("Redis killed for 3 s", gone, kill(4, 1700*time.Millisecond)),
		usual("Redis killed for 3 s in a burst", gone, kill(3, burst)),
		usual("Redis absent for the first 5 s", bounds{refused: 0.001, used: 0.9}, func(g *game) {
			time.Sleep(time.Until(g.from.Add(5 * time.Second)))
			g.redis.start()
		}).with(func(s *scenario) { s.absent = true }),
		usual("Redis loses its state in a burst", lost, func(g *game) {
			g.wait(4, burst)
			g.redis.do("FLUSHALL")
		}),
		usual("Redis falls back to an older state in a burst", lost, func(g *game) {
			g.wait(3, 1500*time.Millisecond)
			g.redis.do("SAVE")
			g.wait(4, burst)
			g.redis.kill()
			g.redis.start()
		}),
		usual("Redis stalls for 3 s", lost, func(g *game) {
			g.wait(4, burst)
			g.redis.signal(syscall.SIGSTOP)
			time.Sleep(3 * time.Second)
			g.redis.signal(syscall.SIGCONT)
		}),
		usual("every call takes 100 ms", lost, nil).with(func(s *scenario) {
			s.behind, s.delay = func(int) bool { return true }, 50*time.Millisecond
		}),
	}
}

// changes are what may become of the members.
func changes() []scenario {
	last := func(i int) bool { return i == 7 }
	return []scenario{
		usual("two join in the middle", bounds{used: 0.98}, func(g *game) {
			g.wait(3, 1000*time.Millisecond)
			g.join(g.until)
			g.wait(5, 1000*time.Millisecond)
			g.join(g.until)
		}),
		usual("all restart one after the other", bounds{used: 0.98}, func(g *game) {
			for i := range 8 {
				g.wait(2+i, 500*time.Millisecond)
				g.join(g.until)
			}
		}).with(func(s *scenario) {
			s.leave = func(i int) time.Duration { return time.Duration(2+i)*s.per + s.per/4 }
		}),
		usual("a process is killed, lease of 4 s", bounds{used: 0.97}, func(g *game) {
			g.wait(3, burst)
			if err := g.members[7].cmd.Process.Kill(); err != nil {
				g.t.Error(err)
			}
		}).with(func(s *scenario) { s.lease = 4 * time.Second }),
		usual("a process is cut off for 10 s, lease of 4 s", bounds{refused: 0.015, used: 0.97}, func(g *game) {
			g.wait(3, burst)
			g.proxy.cut(10 * time.Second)
		}).with(func(s *scenario) { s.lease, s.behind = 4*time.Second, last }),
	}
}
