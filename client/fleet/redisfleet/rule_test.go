package redisfleet

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/queue"
	"github.com/redis/go-redis/v9"
)

// Members that are told a limit by a rule share it over a Redis, from an API that says nothing.
func TestRuleOverRedis(t *testing.T) {
	chance.Test(t, func(t testing.TB) {
		addr := server(t)
		api := clienttest.NewServer(clienttest.Rolling(200, time.Second))
		defer api.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		var fleets []*fleet.Fleet
		for range 4 {
			c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
			defer c.Close()
			store, err := New(c, WithPrefix("rules:"))
			if err != nil {
				t.Fatal(err)
			}
			f, err := fleet.New(store, []byte("0123456789abcdef"))
			if err != nil {
				t.Fatal(err)
			}
			fleets = append(fleets, f)
			hc, err := client.Wrap(api.Client(), client.WithFleet(f), client.WithRetries(0), client.WithRule(queue.Rule{
				Name: "told", Scope: queue.Global, Limits: []queue.Quota{queue.PerSecond(200)}, Fleet: true,
			}))
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				wg.Go(func() { ask(ctx, t, hc, api.URL) })
			}
		}
		wg.Wait()
		for _, f := range fleets {
			if err := f.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		c := api.Counts()
		t.Logf("%d admitted, %d refused", c.Admitted, c.Refused)
		if c.Admitted < 500 || c.Refused > 0 {
			t.Errorf("admitted %d, refused %d", c.Admitted, c.Refused)
		}
	})
}
