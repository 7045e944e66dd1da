package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/forbear-go/forbear/client/fleet/redisfleet"
	"github.com/redis/go-redis/v9"
)

// callers is how many goroutines of a process call the API.
const callers = 10

// member is one of the processes. It calls the API for a while and says how often it was
// served.
func member(ctx context.Context, out io.Writer, url, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var opts []client.Option
	if addr != "" {
		f, err := join(addr)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close(context.Background()) }() // what it holds is free later, if that fails
		opts = append(opts, client.WithFleet(f))
	}
	hc, err := client.New(opts...)
	if err != nil {
		return err
	}
	var served atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				if !call(ctx, hc, url) {
					pause(ctx, 100*time.Millisecond)
					continue
				}
				served.Add(1)
			}
		})
	}
	wg.Wait()
	_, err = fmt.Fprintf(out, "  process %s was served %d times\n", os.Getenv("FLEET_MEMBER"), served.Load())
	return err
}

// join makes the process a member of the fleet.
func join(addr string) (*fleet.Fleet, error) {
	redis.SetLogger(quiet{}) // Status tells when the store is away
	store, err := redisfleet.New(redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true}))
	if err != nil {
		return nil, err
	}
	return fleet.New(store, []byte("the secret of this very fleet"))
}

// quiet keeps the client of the store from writing into our output.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// call calls the API once.
func call(ctx context.Context, hc *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // the API is ours
	if err != nil {
		return false
	}
	resp, err := hc.Do(req) //nolint:gosec // as above
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}
