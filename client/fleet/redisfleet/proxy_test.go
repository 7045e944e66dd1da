package redisfleet

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/redis/go-redis/v9"
)

// A proxy stands between members and their store: it is slow, or lets nothing through.
type proxy struct {
	addr  string
	to    string
	delay time.Duration // each way
	until atomic.Int64  // in nanoseconds since 1970; before that, nothing goes through
}

// newProxy starts a proxy, which ends with the test.
func newProxy(t testing.TB, to string, delay time.Duration) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{addr: l.Addr().String(), to: to, delay: delay}
	go func() {
		for {
			member, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			go p.serve(member)
		}
	}()
	return p
}

// cut has the proxy keep back what comes, for a while. As with a network that comes back, it is not lost.
func (p *proxy) cut(d time.Duration) { p.until.Store(time.Now().Add(d).UnixNano()) }

func (p *proxy) serve(member net.Conn) {
	store, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = member.Close()
		return
	}
	go p.pass(store, member)
	p.pass(member, store)
}

// pass passes on what one side sends, until one of them ends.
func (p *proxy) pass(to, from net.Conn) {
	type piece struct {
		due  time.Time
		data []byte
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 1<<14)
			n, err := from.Read(data)
			if err != nil {
				return
			}
			pieces <- piece{time.Now().Add(p.delay), data[:n]}
		}
	}()
	for one := range pieces {
		time.Sleep(time.Until(one.due))
		time.Sleep(time.Until(time.Unix(0, p.until.Load())))
		if _, err := to.Write(one.data); err != nil {
			_ = from.Close() // the reader ends
		}
	}
	_, _ = to.Close(), from.Close()
}

// A store that is far away is reached, although it takes longer to make a connection than a call may take.
func TestFarStore(t *testing.T) {
	p := newProxy(t, server(t), 60*time.Millisecond)
	rc := redis.NewClient(&redis.Options{Addr: p.addr, MaxRetries: -1, ContextTimeoutEnabled: true})
	defer rc.Close()
	store, err := New(rc)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fleet.New(store, []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	api := clienttest.NewServer(clienttest.Fixed(1000, time.Minute), clienttest.Draft8())
	defer api.Close()
	hc, err := client.New(client.WithFleet(f))
	if err != nil {
		t.Fatal(err)
	}
	reached := false
	for range 100 {
		resp, err := hc.Get(api.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		s := f.Status()
		if reached = len(s) > 0 && s[0].Calls > s[0].Failed; reached {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !reached {
		t.Errorf("%+v", f.Status())
	}
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
