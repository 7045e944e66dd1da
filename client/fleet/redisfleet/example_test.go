package redisfleet_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/redis/go-redis/v9"

	"github.com/forbear-go/forbear/client/fleet/redisfleet"
)

// All processes of the program that share an address and a secret share the quota.
func Example() {
	if err := run(context.Background(), "127.0.0.1:6379", []byte(os.Getenv("FLEET_SECRET"))); err != nil {
		fmt.Println(err)
	}
	// Output: fleet: the secret must have at least 16 bytes, got 0
}

func run(ctx context.Context, addr string, secret []byte) error {
	store, err := redisfleet.New(redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true}))
	if err != nil {
		return err
	}
	f, err := fleet.New(store, secret) // at least 16 bytes, the same in all processes
	if err != nil {
		return err
	}
	defer f.Close(ctx) // gives back what this process holds
	hc, err := client.New(client.WithFleet(f))
	if err != nil {
		return err
	}
	return work(ctx, hc)
}

// work is the rest of the program.
func work(context.Context, *http.Client) error { return nil }
