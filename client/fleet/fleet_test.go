package fleet

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
)

func TestBadOptions(t *testing.T) {
	secret := []byte("0123456789abcdef")
	for name, make := range map[string]func() (*Fleet, error){
		"no store":     func() (*Fleet, error) { return New(nil, secret) },
		"short secret": func() (*Fleet, error) { return New(new(Memory), secret[1:]) },
		"short lease":  func() (*Fleet, error) { return New(new(Memory), secret, WithLease(time.Millisecond)) },
		"no timeout":   func() (*Fleet, error) { return New(new(Memory), secret, WithTimeout(0)) },
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s is an error", name)
		}
	}
}

// What the store gets to see tells nothing of whose key it is, and differs between secrets.
func TestNamesAreKeyed(t *testing.T) {
	one, err := New(new(Memory), []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(new(Memory), []byte("0123456789abcdeF"))
	if err != nil {
		t.Fatal(err)
	}
	name := one.name("api.example.com\x00Authorization\x01Bearer secret")
	if len(name) != 32 || strings.Contains(name, "secret") || name == other.name("api.example.com\x00Authorization\x01Bearer secret") {
		t.Errorf("the name is %q", name)
	}
}

func TestCloseTwice(t *testing.T) {
	f, err := New(new(Memory), []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if err := f.Close(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// The offset to the store's clock is known only to what the very call took, however long that was.
func TestClockIsAnInterval(t *testing.T) {
	start := time.Unix(1_900_000_000, 0)
	const ahead = 777 * time.Second
	var c clock
	for i, trip := range []time.Duration{4 * time.Millisecond, 2 * time.Millisecond, 240 * time.Millisecond, 3 * time.Millisecond} {
		for _, part := range []time.Duration{0, trip / 3, trip} { // when the store looked at its clock
			sent := start.Add(time.Duration(i) * time.Second)
			c.observe(sent.Add(part+ahead).UnixMilli(), sent, sent.Add(trip))
			reset := sent.Add(5 * time.Second)
			lo, hi := c.store(reset, reset)
			if want := reset.Add(ahead).UnixMilli(); lo > want || hi < want {
				t.Errorf("call %d: [%d, %d] does not hold %d", i, lo, hi, want)
			}
			if got := c.latest(reset.Add(ahead).UnixMilli()); got.Before(reset.Truncate(time.Millisecond)) || got.After(reset.Add(10*time.Millisecond)) {
				t.Errorf("call %d: %v is taken for %v at the latest", i, reset, got)
			}
		}
	}
	// The store's clock is set back: the newest word counts.
	sent := start.Add(time.Minute)
	c.observe(sent.UnixMilli(), sent, sent.Add(time.Millisecond))
	if lo, hi := c.store(sent, sent); lo > sent.UnixMilli() || hi < sent.UnixMilli() || hi-lo > 5 {
		t.Errorf("after the clock was set: [%d, %d] for %d", lo, hi, sent.UnixMilli())
	}
}

// A transport's status says how a quota is shared, and when the store is away.
func TestStatusOfATransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, clienttest.Fixed(100, time.Minute), clienttest.XRateLimitDelta())
		transport, err := client.NewTransport(w.api.Client().Transport, client.WithFleet(w.fleets[0]))
		if err != nil {
			t.Fatal(err)
		}
		w.clients[0] = &http.Client{Transport: transport}
		for range 3 {
			for i := range w.clients {
				if ok, err := w.get(t.Context(), t, i); !ok {
					t.Fatal("a request was not served: ", err)
				}
			}
		}
		all := transport.Snapshot()
		if len(all) != 1 || all[0].Shared == nil || !all[0].Shared.Active || all[0].Shared.Away || all[0].Shared.Members != 2 {
			t.Errorf("the snapshot is %+v", all)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.api.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := transport.Status(req); err != nil || s.Shared == nil || s.Shared.Members != 2 {
			t.Errorf("the status is %+v, %v", s, err)
		}
		w.store.down.Store(true)
		time.Sleep(20 * time.Second)
		if _, err := w.get(t.Context(), t, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if s, err := transport.Status(req); err != nil || s.Shared == nil || !s.Shared.Away {
			t.Errorf("with the store away, the status is %+v, %v", s.Shared, err)
		}
		w.store.down.Store(false)
		time.Sleep(5 * time.Second)
		w.leave(t)
		plain, err := client.NewTransport(w.api.Client().Transport)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := plain.Status(req); err != nil || s.Shared != nil {
			t.Errorf("without a fleet, the status is %+v, %v", s.Shared, err)
		}
	})
}

// A lease is renewed early where something may be spent that it covers, and late where nothing is before it ends;
// but not so late that a call may not fail.
func TestLeaseIsRenewedLateWhileNothingMayGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			lease, opens, want time.Duration // the last two from now on
			spent              bool
		}{
			{30 * time.Second, time.Minute, 18 * time.Second, false},
			{30 * time.Second, time.Minute, 27 * time.Second, true},
			{30 * time.Second, 20 * time.Second, 18 * time.Second, true},
			{time.Second, time.Minute, 600 * time.Millisecond, true},
		} {
			m := allotted(t)
			now := time.Now()
			m.fleet.lease, m.lease = c.lease, now.Add(c.lease)
			m.windows[0].period = c.opens
			if c.spent {
				spend(t, m)
			}
			if at := m.renewal().Sub(now); at != c.want {
				t.Errorf("%+v: it is renewed after %v", c, at)
			}
		}
	})
}
