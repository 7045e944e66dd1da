package redisfleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/redis/go-redis/v9"
)

// A memberConfig is what a process of the fleet is told, and a memberResult what it tells.
type (
	memberConfig struct {
		API, Redis string
		Callers    int
		Think      time.Duration // the pause between the requests of a caller
		Until      time.Time
		Lease      time.Duration
		Alone      bool
	}
	memberResult struct {
		Served, Refused, Failed, Calls int
		CPU                            time.Duration
	}
)

const memberEnv = "FORBEAR_FLEET_MEMBER"

func TestMain(m *testing.M) {
	if config := os.Getenv(memberEnv); config != "" {
		if err := runMember(config, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runMember is the whole of one process.
func runMember(config string, out io.Writer) error {
	var c memberConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	rc := redis.NewClient(&redis.Options{Addr: c.Redis, MaxRetries: -1, ContextTimeoutEnabled: true})
	defer rc.Close()
	store, err := New(rc)
	if err != nil {
		return err
	}
	f, err := fleet.New(store, []byte("0123456789abcdef"), fleet.WithLease(c.Lease))
	if err != nil {
		return err
	}
	opts := []client.Option{client.WithRetries(0)}
	if !c.Alone {
		opts = append(opts, client.WithFleet(f))
	}
	hc, err := client.New(opts...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.Background(), c.Until)
	defer cancel()
	var result memberResult
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range c.Callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.API, nil)
				if err != nil {
					return
				}
				status := 0
				if resp, err := hc.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body) // it is empty
					_ = resp.Body.Close()
					status = resp.StatusCode
				} else if ctx.Err() == nil {
					time.Sleep(50 * time.Millisecond) // it cannot go before the deadline
				}
				mu.Lock()
				switch {
				case status == http.StatusOK:
					result.Served++
				case status == http.StatusTooManyRequests:
					result.Refused++
				case ctx.Err() == nil:
					result.Failed++
				}
				mu.Unlock()
				time.Sleep(c.Think)
			}
		})
	}
	wg.Wait()
	for _, s := range f.Status() {
		result.Calls += s.Calls
	}
	over, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	_ = f.Close(over) // the store may be away
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err == nil {
		result.CPU = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	return json.NewEncoder(out).Encode(result)
}

// A redisServer is one that can be taken away.
type redisServer struct {
	t    testing.TB
	addr string
	cmd  *exec.Cmd
}

func (s *redisServer) start() {
	_, port, _ := strings.Cut(s.addr, ":")
	s.cmd = exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.t.TempDir())
	if err := s.cmd.Start(); err != nil {
		s.t.Error(err)
	}
}

func (s *redisServer) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
}

func (s *redisServer) flush() {
	c := redis.NewClient(&redis.Options{Addr: s.addr})
	defer c.Close()
	if err := c.FlushAll(s.t.Context()).Err(); err != nil {
		s.t.Error(err)
	}
}

func (s *redisServer) signal(sig os.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Error(err)
	}
}

// spawn starts a member.
func spawn(t testing.TB, c memberConfig) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), memberEnv+"="+string(config))
	out := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}
