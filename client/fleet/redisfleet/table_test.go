package redisfleet

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"os/exec"
	"syscall"
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
	name     string
	limit    clienttest.Limit
	per      time.Duration
	windows  int
	possible int // what an API admits in each window
	silent   bool
	lease    time.Duration
	members  int // 8 unless told
	callers  func(member int) (int, time.Duration)
	during   func(s *redisServer, members []*exec.Cmd)
	absent   bool // the server is not there at first

	refused, used float64 // what must be reached, as shares
}

func scenarios() []scenario {
	fixed := clienttest.Fixed
	usual := fixed(400, 2*time.Second)
	away := func(d time.Duration) func(*redisServer, []*exec.Cmd) {
		return func(s *redisServer, _ []*exec.Cmd) {
			time.Sleep(9100 * time.Millisecond)
			s.kill()
			time.Sleep(d)
			s.start()
		}
	}
	return []scenario{
		{name: "400 in 2 s", limit: usual, per: 2 * time.Second, windows: 10, possible: 400, refused: 0.002, used: 0.95},
		{name: "4,000 in 2 s", limit: fixed(4000, 2*time.Second), per: 2 * time.Second, windows: 6, possible: 4000, refused: 0.002, used: 0.8},
		{name: "one busy, seven nearly idle", limit: usual, per: 2 * time.Second, windows: 10, possible: 400, refused: 0.002, used: 0.85, callers: func(i int) (int, time.Duration) {
			if i == 0 {
				return 160, 0
			}
			return 1, 4 * time.Second
		}},
		{name: "20 in 2 s", limit: fixed(20, 2*time.Second), per: 2 * time.Second, windows: 10, possible: 20, refused: 0.01, used: 0.95},
		{name: "Redis killed for 3 s", limit: usual, per: 2 * time.Second, windows: 10, possible: 400, refused: 0.01, used: 0.95, during: away(3 * time.Second)},
		{name: "Redis absent for the first 5 s", limit: usual, per: 2 * time.Second, windows: 10, possible: 400, refused: 0.05, used: 0.9, absent: true, during: func(s *redisServer, _ []*exec.Cmd) {
			time.Sleep(5 * time.Second)
			s.start()
		}},
		{name: "Redis loses its state in a burst", limit: usual, per: 2 * time.Second, windows: 10, possible: 400, refused: 0.005, used: 0.9, during: func(s *redisServer, _ []*exec.Cmd) {
			time.Sleep(8150 * time.Millisecond)
			s.flush()
		}},
		{name: "Redis stalls for 3 s", limit: usual, per: 2 * time.Second, windows: 10, possible: 400, refused: 0.005, used: 0.95, during: func(s *redisServer, _ []*exec.Cmd) {
			time.Sleep(9 * time.Second)
			s.signal(syscall.SIGSTOP)
			time.Sleep(3 * time.Second)
			s.signal(syscall.SIGCONT)
		}},
		{name: "a process is killed, lease of 4 s", limit: usual, per: 2 * time.Second, windows: 10, possible: 400, lease: 4 * time.Second, refused: 0.005, used: 0.9, during: func(_ *redisServer, members []*exec.Cmd) {
			time.Sleep(6200 * time.Millisecond)
			_ = members[7].Process.Kill()
		}},
		{name: "rolling, 400 in 2 s", limit: clienttest.Rolling(400, 2*time.Second), per: 2 * time.Second, windows: 10, possible: 400, refused: 0.005, used: 0.85},
		{name: "bucket of 400, 200 a second", limit: clienttest.Bucket(400, 400, 2*time.Second), per: 2 * time.Second, windows: 10, possible: 400, refused: 0.005, used: 0.9},
		{name: "nothing but Retry-After, 1,000 in 5 s", limit: fixed(1000, 5*time.Second), per: 5 * time.Second, windows: 5, possible: 1000, silent: true, refused: 0.06, used: 0.9},
	}
}

// Processes of their own, an API over HTTP and a real Redis. With -table all scenarios are played, in
// some minutes; otherwise one, for a few seconds.
func TestProcessesOverRedis(t *testing.T) {
	needServer(t)
	if !*table {
		play(t, scenario{
			limit: clienttest.Fixed(400, 2*time.Second), per: 2 * time.Second, windows: 2, possible: 400, members: 4, refused: 0.02, used: 0.3,
		})
		return
	}
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) { play(t, s) })
	}
}

func play(t testing.TB, s scenario) {
	t.Helper()
	addr, _ := freeAddr(t)
	rs := &redisServer{t: t, addr: addr}
	if !s.absent {
		rs.start()
		time.Sleep(300 * time.Millisecond)
	}
	opts := []clienttest.Option{s.limit, clienttest.Latency(20*time.Millisecond, 40*time.Millisecond)}
	if !s.silent {
		opts = append(opts, clienttest.Draft8())
	}
	api := clienttest.NewServer(opts...)
	defer api.Close()
	// It begins 30 % into a window, and ends with one.
	time.Sleep(time.Until(time.Now().Truncate(s.per).Add(s.per + s.per*3/10)))
	until := time.Now().Truncate(s.per).Add(time.Duration(s.windows+1) * s.per)
	var members []*exec.Cmd
	var outs []*bytes.Buffer
	for i := range cmp.Or(s.members, 8) {
		callers, think := 20, time.Duration(0)
		if s.callers != nil {
			callers, think = s.callers(i)
		}
		cmd, out := spawn(t, memberConfig{
			API: api.URL, Redis: rs.addr, Callers: callers, Think: think, Until: until, Lease: cmp.Or(s.lease, 30*time.Second), Alone: *without,
		})
		members, outs = append(members, cmd), append(outs, out)
	}
	if s.during != nil {
		s.during(rs, members)
	}
	var all memberResult
	served := make([]int, 0, len(members))
	for i, cmd := range members {
		err := cmd.Wait()
		var one memberResult
		if json.Unmarshal(outs[i].Bytes(), &one) != nil {
			t.Logf("member %d: %v", i, err) // it was killed
			continue
		}
		served = append(served, one.Served)
		all.Served, all.Refused, all.Calls, all.CPU = all.Served+one.Served, all.Refused+one.Refused, all.Calls+one.Calls, all.CPU+one.CPU
	}
	if rs.cmd != nil {
		rs.kill()
	}
	c := api.Counts()
	requests := float64(max(c.Admitted+c.Refused, 1))
	refused := float64(c.Refused) / requests
	used := float64(c.Admitted) / float64((s.windows+1)*s.possible)
	t.Logf("refused %.2f %%, used %.1f %%, %.4f calls a request, %.2f ms of CPU a request; served %v",
		100*refused, 100*used, float64(all.Calls)/requests, float64(all.CPU.Microseconds())/1000/requests, served)
	if !*without && (refused > s.refused || used < s.used) {
		t.Errorf("refused %d of %.0f, used %.3f", c.Refused, requests, used)
	}
}
