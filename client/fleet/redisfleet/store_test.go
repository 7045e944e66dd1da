package redisfleet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/redis/go-redis/v9"
)

// embedded starts a server in this process, which runs Lua.
func embedded(t testing.TB) (*miniredis.Miniredis, redis.UniversalClient) {
	t.Helper()
	m := miniredis.RunT(t)
	c := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { _ = c.Close() })
	return m, c
}

// seeds returns how many random worlds to try: one with the race detector, because a script has one goroutine.
func seeds(n uint64) uint64 {
	if chance.Raced {
		return 1
	}
	return n
}

// needServer skips the test where there is no redis-server.
func needServer(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("REDIS_REQUIRED") != "" {
		t.Fatal("there is no redis-server, and REDIS_REQUIRED is set")
	}
	t.Skip("there is no redis-server here: set REDIS_ADDR, or install it")
}

// server returns the address of a real Redis: that of REDIS_ADDR, or of one that is started here.
func server(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv("REDIS_ADDR"); addr != "" {
		return addr
	}
	needServer(t)
	addr, port := freeAddr(t)
	redisProcess(t, addr, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	return addr
}

// A user who may run nothing but what the documentation lists is enough.
func TestRedis(t *testing.T) {
	admin := redis.NewClient(&redis.Options{Addr: server(t)})
	defer admin.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	rules := append([]any{"ACL", "SETUSER", "fleet", "on", ">secret", "resetkeys", "resetchannels", "~forbear:*", "&forbear:news"}, commands()...)
	if err := admin.Do(ctx, rules...).Err(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: admin.Options().Addr, Username: "fleet", Password: "secret", MaxRetries: -1})
	defer c.Close()
	store, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	heard, lost := make(chan string, 100), make(chan bool, 100)
	stop := store.Listen(func(key string, news []byte) { heard <- key + " " + string(news) }, func() { lost <- true })
	defer stop()
	select {
	case <-lost:
	case <-ctx.Done():
		t.Fatal("the subscription was not confirmed")
	}
	for i := range 2 { // the second time after the script is gone
		report := fmt.Sprintf(`{"id":"a","seq":%d,"ack":0,"inc":"","ver":0,"nonce":"n%d","k":1,"ttl":4000,"grace":1000,"trip":1,"ps":0,"lt":1,"ov":[],"want":3,"pr":0,"fi":3,"g":0,"f":0,"fa":0,"pd":0,"off":0,"hold":99999999999999,"rf":0,"rt":0,"cl":0,"tc":0,"ts":0,"tf":0,"tm":0,"e":0,"sp":0,"bye":0,"db":0,"ws":{}}`, i+1, i)
		reply, err := store.Exchange(ctx, "0123", []byte(report))
		if err != nil {
			t.Fatal(err)
		}
		if r := decode(t, reply); r["hold"] != 99999999999999.0 {
			t.Errorf("got %s", reply)
		}
		if err := admin.ScriptFlush(ctx).Err(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case news := <-heard:
		if !strings.HasPrefix(news, "0123 {") || !strings.Contains(news, "hold") {
			t.Errorf("heard %q", news)
		}
	case <-ctx.Done():
		t.Fatal("no news")
	}
	keys, err := admin.Keys(ctx, "*").Result()
	if err != nil || len(keys) != 1 || keys[0] != "forbear:{0123}" {
		t.Errorf("keys %q, error %v", keys, err)
	}
	if ttl := admin.TTL(ctx, keys[0]).Val(); ttl <= 0 {
		t.Errorf("the key lives for %v", ttl)
	}
}

// commands are those that docs/fleet.md lists.
func commands() (all []any) {
	for name := range strings.FieldsSeq("-@all +evalsha +eval +get +set +time +publish +subscribe +unsubscribe +ping +hello") {
		all = append(all, name)
	}
	return all
}

func TestBadOptions(t *testing.T) {
	if _, err := New(nil); err == nil {
		t.Error("no client is an error")
	}
	_, c := embedded(t)
	for _, prefix := range []string{"", "a{b", "x y", "*"} {
		if _, err := New(c, WithPrefix(prefix)); err == nil {
			t.Errorf("prefix %q is an error", prefix)
		}
	}
}

// Processes that share a Redis share a quota: here of 200 a second, of which each would otherwise take
// what it can.
func TestFleetOverRedis(t *testing.T) {
	chance.Test(t, func(t testing.TB) {
		addr := server(t)
		api := clienttest.NewServer(clienttest.Fixed(200, time.Second), clienttest.XRateLimitDelta())
		defer api.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		var fleets []*fleet.Fleet
		var failed atomic.Pointer[error]
		for range 4 {
			c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
			defer c.Close()
			store, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			f, err := fleet.New(&attentive{Store: store, failed: &failed}, []byte("0123456789abcdef"))
			if err != nil {
				t.Fatal(err)
			}
			fleets = append(fleets, f)
			hc, err := client.Wrap(api.Client(), client.WithFleet(f))
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				wg.Go(func() { ask(ctx, t, hc, api.URL) })
			}
		}
		wg.Wait()
		shared := fleets[0].Status()
		for _, f := range fleets {
			if err := f.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		c := api.Counts()
		t.Logf("%d admitted, %d refused, %+v", c.Admitted, c.Refused, shared)
		if c.Admitted < 350 || 20*c.Refused > c.Admitted {
			t.Errorf("admitted %d, refused %d", c.Admitted, c.Refused)
		}
		if len(shared) != 1 || shared[0].Members != 4 {
			t.Errorf("the status is %+v", shared)
		}
		if err := failed.Load(); err != nil {
			t.Errorf("the store failed: %v", *err)
		}
	})
}

// An attentive store notes a failure of the store. That it was slow is none: a fleet that waits for a
// quarter of a second gives up now and then on a machine that stands still for longer.
type attentive struct {
	fleet.Store

	failed *atomic.Pointer[error]
}

func (a *attentive) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	reply, err := a.Store.Exchange(ctx, key, report)
	if err != nil && ctx.Err() == nil {
		a.failed.Store(&err)
	}
	return reply, err
}

// ask sends one request after the other until the context ends.
func ask(ctx context.Context, t testing.TB, hc *http.Client, url string) {
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := hc.Do(req)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body) // it is empty
		_ = resp.Body.Close()
	}
}
