package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/freeport"
	"github.com/stretchr/testify/require"
)

const sharedSecret = "0123456789abcdef"

// A redisServer is a real one, without persistence, that can be taken away.
type redisServer struct {
	t    testing.TB
	port string
	cmd  *exec.Cmd
}

// startRedis starts a Redis, or skips the test where there is none.
func startRedis(t testing.TB) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("REDIS_REQUIRED") != "" {
			t.Fatal("there is no redis-server, and REDIS_REQUIRED is set")
		}
		t.Skip("there is no redis-server here; install it to run this test")
	}
	_, port, err := freeport.Find()
	require.NoError(t, err)
	s := &redisServer{t: t, port: port}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *redisServer) start() {
	s.cmd = exec.Command("redis-server", "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.t.TempDir())
	require.NoError(s.t, s.cmd.Start())
	require.Eventually(s.t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		return err == nil && conn.Close() == nil
	}, 10*time.Second, 20*time.Millisecond)
}

func (s *redisServer) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
}

func (s *redisServer) flags(t testing.TB, more ...string) []string {
	t.Helper()
	return append([]string{"-redis", "redis://127.0.0.1:" + s.port, "-fleet-secret", write(t, "secret", sharedSecret+"\n")}, more...)
}

func (r *running) health(t testing.TB) string {
	t.Helper()
	status, text := ask(t, http.MethodGet, r.url+"/-/health", "")
	require.Equal(t, http.StatusOK, status)
	return text
}

// load has callers send requests through proxies until a time. It returns how many were
// served, and how many refused.
func load(t testing.TB, until time.Time, proxies ...*running) (served, refused int) {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), until)
	defer cancel()
	var good, bad atomic.Int64
	var wg sync.WaitGroup
	for _, p := range proxies {
		for range 10 {
			wg.Go(func() {
				for ctx.Err() == nil {
					req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/items", nil)
					if err != nil {
						t.Error(err)
						return
					}
					req.Header.Set("X-Connector-Token", "one")
					resp, err := http.DefaultClient.Do(req)
					if err != nil {
						continue // the time is over
					}
					_ = resp.Body.Close()
					switch resp.StatusCode {
					case http.StatusOK:
						good.Add(1)
					case http.StatusTooManyRequests:
						bad.Add(1)
					default:
						t.Error(resp.Status)
					}
				}
			})
		}
	}
	wg.Wait()
	return int(good.Load()), int(bad.Load())
}

// Two proxies that know each other share a quota: together they use it, and next to none of
// their requests is refused.
func TestProxiesShareAQuotaOverRedis(t *testing.T) {
	chance.Test(t, func(t testing.TB) {
		redis := startRedis(t)
		const limit, windows = 100, 4
		api := clienttest.NewServer(clienttest.Fixed(limit, 2*time.Second), clienttest.Draft8())
		t.Cleanup(api.Close)
		flags := redis.flags(t, "-to", api.URL, "-retries", "0")
		a, b := start(t, flags...), start(t, flags...)
		began := time.Now().Truncate(2 * time.Second).Add(2 * time.Second)
		time.Sleep(time.Until(began))
		served, refused := load(t, began.Add(windows*2*time.Second-100*time.Millisecond), a, b)
		t.Logf("%d of %d served, %d refused", served, limit*windows, refused)
		require.LessOrEqual(t, refused, windows) // at the most one that looks for each reset
		require.GreaterOrEqual(t, served, limit*windows*7/10)
		for _, p := range []*running{a, b} {
			require.Equal(t, "ok, quotas are shared with other proxies\n", p.health(t))
			_, page := ask(t, http.MethodGet, p.url+"/-/", "")
			require.Contains(t, page, "shared by 2 processes")
			require.NotContains(t, page, sharedSecret)
			_, metrics := ask(t, http.MethodGet, p.url+"/-/metrics", "")
			require.Contains(t, metrics, `forbear_fleet_keys{forbear_fleet_state="shared",server_address="127.0.0.1"} 1`)
		}
	})
}

// When Redis is killed the proxies go on, with no more refusals than two that were always
// alone, and say what is wrong until it is back.
func TestProxiesLoseRedis(t *testing.T) {
	chance.Test(t, func(t testing.TB) {
		redis := startRedis(t)
		newAPI := func() string {
			api := clienttest.NewServer(clienttest.Fixed(100, 2*time.Second), clienttest.Draft8())
			t.Cleanup(api.Close)
			return api.URL
		}
		flags := redis.flags(t, "-to", newAPI())
		a, b := start(t, flags...), start(t, flags...)
		alone := []string{"-to", newAPI()}
		c, d := start(t, alone...), start(t, alone...)
		const shared = "ok, quotas are shared with other proxies\n"
		load(t, time.Now().Add(3*time.Second), a, b, c, d)
		require.Equal(t, shared, a.health(t))
		redis.kill()
		until := time.Now().Add(8 * time.Second)
		var servedAlone, refusedAlone int
		var wg sync.WaitGroup
		wg.Go(func() { servedAlone, refusedAlone = load(t, until, c, d) })
		served, refused := load(t, until, a, b)
		wg.Wait()
		t.Logf("without Redis %d served, %d refused after all attempts; always alone %d, %d", served, refused, servedAlone, refusedAlone)
		require.LessOrEqual(t, refused, refusedAlone+1)
		require.GreaterOrEqual(t, served, servedAlone/3) // they vary much, with or without Redis
		const away = "ok, but Redis cannot be used: quotas are not shared with other proxies\n"
		require.Equal(t, away, a.health(t))
		require.Equal(t, away, b.health(t))
		_, page := ask(t, http.MethodGet, a.url+"/-/", "")
		require.Contains(t, page, "store away")
		_, metrics := ask(t, http.MethodGet, a.url+"/-/metrics", "")
		require.Contains(t, metrics, `forbear_fleet_keys{forbear_fleet_state="away",server_address="127.0.0.1"} 1`)
		redis.start()
		require.Eventually(t, func() bool {
			load(t, time.Now().Add(100*time.Millisecond), a, b)
			return a.health(t) == shared && b.health(t) == shared
		}, 10*time.Second, 100*time.Millisecond)
	})
}

// A proxy whose Redis was never there works as if it were alone, and says so.
func TestProxyWithoutItsRedis(t *testing.T) {
	t.Parallel()
	api := clienttest.NewServer(clienttest.Fixed(1000, time.Minute))
	t.Cleanup(api.Close)
	nowhere := serve(t, func(http.ResponseWriter, *http.Request) {})
	nowhere.Close()
	p := start(t, "-to", api.URL, "-redis", "redis://"+nowhere.Listener.Addr().String(), "-fleet-secret", write(t, "secret", sharedSecret))
	began := time.Now()
	for range 20 {
		status, _ := ask(t, http.MethodGet, p.url, "")
		require.Equal(t, http.StatusOK, status)
	}
	require.Less(t, time.Since(began), time.Minute)
	require.Contains(t, p.health(t), "Redis cannot be used")
	require.Equal(t, "ok\n", start(t, "-to", api.URL).health(t))
	p.cancel()
	require.NoError(t, <-p.ended)
}

func TestFleetFlags(t *testing.T) {
	secret := write(t, "secret", sharedSecret+"\n")
	for want, args := range map[string][]string{
		"must not have a password":         {"-redis", "redis://me:hunter2@localhost", "-fleet-secret", secret},
		"want a URL such as redis://":      {"-redis", "redis://me:hunter2@local host:%zz", "-fleet-secret", secret},
		"invalid URL scheme":               {"-redis", "http://localhost", "-fleet-secret", secret},
		"at least 16 bytes":                {"-redis", "redis://localhost"},
		"got 4 bytes":                      {"-redis", "redis://localhost", "-fleet-secret", write(t, "short", "1234\n")},
		"-fleet-secret: open /nowhere":     {"-redis", "redis://localhost", "-fleet-secret", "/nowhere"},
		"-redis-password: open /nowhere":   {"-redis", "redis://localhost", "-fleet-secret", secret, "-redis-password", "/nowhere"},
		"-redis-password need -redis":      {"-redis-password", secret},
		"Retries":                          {"-redis", "redis://localhost", "-fleet-secret", secret, "-retries", "-1"},
		"unexpected option: no_such_thing": {"-redis", "redis://localhost?no_such_thing=1", "-fleet-secret", secret},
	} {
		_, errors, status := runs(t, "", append([]string{"proxy", "-to", "http://api.test"}, args...)...)
		require.Equal(t, 2, status, errors)
		require.Contains(t, errors, want)
		require.NotContains(t, errors, "hunter2")
		require.NotContains(t, errors, sharedSecret)
	}

	f := fleetFlags{redis: "rediss://me@redis.test/3", secret: secret, password: write(t, "password", "hunter2\n")}
	opts, key, err := f.options()
	require.NoError(t, err)
	require.Equal(t, sharedSecret, string(key))
	require.Equal(t, []any{"redis.test:6379", "me", "hunter2", 3}, []any{opts.Addr, opts.Username, opts.Password, opts.DB})
	require.Equal(t, "redis.test", opts.TLSConfig.ServerName)

	t.Setenv(secretVariable, "another secret, in the environment")
	t.Setenv(passwordVariable, "swordfish")
	opts, key, err = (&fleetFlags{redis: "redis://localhost:7000"}).options()
	require.NoError(t, err)
	require.Equal(t, "another secret, in the environment", string(key))
	require.Equal(t, []any{"localhost:7000", "swordfish"}, []any{opts.Addr, opts.Password})
	require.Nil(t, opts.TLSConfig)
}
