package redisfleet

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/freeport"
	"github.com/redis/go-redis/v9"
)

// freeAddr returns an address of the loopback that is not in use, and its port.
func freeAddr(t testing.TB) (addr, port string) {
	t.Helper()
	addr, port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	return addr, port
}

// redisProcess starts a server with the given arguments, and ends it with the test.
func redisProcess(t testing.TB, addr string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("redis-server", args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	for range 100 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return cmd
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("redis-server does not come up")
	return nil
}

// listening returns a store over a client, and its news. It listens until the test ends.
func listening(ctx context.Context, t testing.TB, c redis.UniversalClient) (*Store, <-chan []byte) {
	t.Helper()
	store, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	heard, lost := make(chan []byte, 1000), make(chan bool, 1000)
	t.Cleanup(store.Listen(func(_ string, news []byte) { heard <- news }, func() { lost <- true }))
	select {
	case <-lost:
	case <-ctx.Done():
		t.Fatal("the subscription was not confirmed")
	}
	return store, heard
}

// exchanges has a store take reports until one is answered and news of it is heard.
func exchanges(ctx context.Context, t testing.TB, store *Store, heard <-chan []byte, seq int) {
	t.Helper()
	for ; ; seq++ {
		report := fmt.Sprintf(`{"id":"a","seq":%d,"ack":0,"inc":"","ver":0,"nonce":"n","k":1,"ttl":4000,"grace":1000,"trip":1,"ps":0,"lt":1,"ov":[],"want":3,"pr":0,"fi":3,"g":0,"f":0,"fa":0,"pd":0,"off":0,"hold":%d,"tm":0,"e":0,"sp":0,"bye":0,"db":0,"rf":0,"rt":0,"cl":0,"tc":0,"ts":0,"tf":0,"ws":{}}`,
			seq, 99999999999990+seq)
		reply, err := store.Exchange(ctx, "0123", []byte(report))
		if err == nil && decode(t, reply)["stale"] != false {
			t.Fatalf("the reply is %s", reply)
		}
		select { // a failover may be under way, and the subscription be lost
		case <-heard:
			return
		case <-ctx.Done():
			t.Fatal("no news; the last error is ", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// A cluster keeps the ledger of a key in one slot, and passes its news on.
func TestRedisCluster(t *testing.T) {
	needServer(t)
	addr, port := freeAddr(t)
	redisProcess(t, addr, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(), "--cluster-enabled", "yes")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	if err := admin.ClusterAddSlotsRange(ctx, 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		if info, err := admin.ClusterInfo(ctx).Result(); err == nil && len(info) > 16 && info[:16] == "cluster_state:ok" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, MaxRedirects: 3})
	t.Cleanup(func() { _ = c.Close() })
	store, heard := listening(ctx, t, c)
	exchanges(ctx, t, store, heard, 1)
}

// When Sentinel makes a replica the master, the store goes on there.
func TestRedisSentinel(t *testing.T) {
	chance.Test(t, func(t testing.TB) {
		needServer(t)
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		first, firstPort := freeAddr(t)
		master := redisProcess(t, first, "--port", firstPort, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
		second, secondPort := freeAddr(t)
		redisProcess(t, second, "--port", secondPort, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(), "--replicaof", "127.0.0.1 "+firstPort)
		watch, watchPort := freeAddr(t)
		config := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor one 127.0.0.1 %s 1\nsentinel down-after-milliseconds one 500\nsentinel failover-timeout one 5000\n",
			watchPort, filepath.Dir(config), firstPort)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		redisProcess(t, watch, config, "--sentinel")
		sentinel := redis.NewSentinelClient(&redis.Options{Addr: watch})
		defer sentinel.Close()
		for { // it is yet to find the replica
			if replicas, err := sentinel.Replicas(ctx, "one").Result(); err == nil && len(replicas) == 1 && replicas[0]["master-link-status"] == "ok" {
				break
			}
			if ctx.Err() != nil {
				t.Fatal("sentinel finds no replica")
			}
			time.Sleep(100 * time.Millisecond)
		}
		c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "one", SentinelAddrs: []string{watch}, MaxRetries: -1, ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = c.Close() })
		store, heard := listening(ctx, t, c)
		exchanges(ctx, t, store, heard, 1)
		_ = master.Process.Kill()
		_ = master.Wait() // it was killed
		for len(heard) > 0 {
			<-heard
		}
		exchanges(ctx, t, store, heard, 1000)
	})
}
