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
		Name, API, Redis string
		Callers          int
		Think            time.Duration // the pause between the requests of a caller
		From, Until      time.Time
		Lease            time.Duration
		Alone            bool
	}
	memberResult struct {
		Calls int
		CPU   time.Duration
	}
)

const (
	memberEnv  = "FORBEAR_FLEET_MEMBER"
	memberName = "X-Member" // the field of a request that says whose it is
)

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
	redis.SetLogger(mute{})
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
	time.Sleep(time.Until(c.From))
	call(hc, &c)
	var result memberResult
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

// call has the callers of a member call the API until it ends.
func call(hc *http.Client, c *memberConfig) {
	ctx, cancel := context.WithDeadline(context.Background(), c.Until)
	defer cancel()
	var wg sync.WaitGroup
	for range c.Callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.API, nil)
				if err != nil {
					return
				}
				req.Header.Set(memberName, c.Name)
				if resp, err := hc.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body) // the server counts what it served
					_ = resp.Body.Close()
				} else if ctx.Err() == nil {
					time.Sleep(50 * time.Millisecond) // it cannot go before the deadline
				}
				select {
				case <-ctx.Done():
				case <-time.After(c.Think):
				}
			}
		})
	}
	wg.Wait()
}

// mute drops what go-redis logs when there is no server.
type mute struct{}

func (mute) Printf(context.Context, string, ...any) {}

// A process is one that was started as a member.
type process struct {
	name string
	cmd  *exec.Cmd
	out  *bytes.Buffer
}

// spawn starts a member.
func spawn(t testing.TB, c memberConfig) *process {
	t.Helper()
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{c.Name, exec.Command(os.Args[0]), new(bytes.Buffer)}
	p.cmd.Env = append(os.Environ(), memberEnv+"="+string(config))
	p.cmd.Stdout, p.cmd.Stderr = p.out, os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// wait waits until the process ends, and returns what it told. One that was killed tells nothing.
func (p *process) wait(t testing.TB) (r memberResult) {
	t.Helper()
	if err := p.cmd.Wait(); err != nil {
		t.Logf("member %s: %v", p.name, err)
		return memberResult{}
	}
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil {
		t.Errorf("member %s: %v", p.name, err)
	}
	return r
}
