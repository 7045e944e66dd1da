package fleet_test

import (
	"context"
	"fmt"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/forbear-go/forbear/queue"
)

// Two members share the ten requests a minute of one key. A store in memory serves tests:
// the members of a real fleet are processes, and share a store over the network.
func Example() {
	ctx := context.Background()
	api := clienttest.NewInMemory(clienttest.Rolling(10, time.Minute))
	defer api.Close()
	store := new(fleet.Memory)
	for range 2 {
		f, err := fleet.New(store, []byte("sixteen bytes or more"))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer f.Close(ctx)
		hc, err := client.Wrap(api.Client(), client.WithFleet(f))
		if err != nil {
			fmt.Println(err)
			return
		}
		for range 5 {
			resp, err := hc.Get(api.URL)
			if err != nil {
				fmt.Println(err)
				return
			}
			_ = resp.Body.Close()
		}
	}
	fmt.Println("all ten were served")
	// Output: all ten were served
}

// Twenty requests an hour hold for all processes together, whatever the API says.
func ExampleFleet_Divide() {
	ctx := context.Background()
	api := clienttest.NewInMemory(clienttest.Latency(time.Millisecond, time.Millisecond))
	defer api.Close()
	store := new(fleet.Memory)
	for range 2 {
		f, err := fleet.New(store, []byte("sixteen bytes or more"))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer f.Close(ctx)
		hc, err := client.Wrap(api.Client(), client.WithFleet(f), client.WithMaxWait(time.Minute), client.WithRule(queue.Rule{
			Name: "hourly", Limits: []queue.Quota{queue.PerHour(20)}, Scope: queue.Global, Fleet: true,
		}))
		if err != nil {
			fmt.Println(err)
			return
		}
		for range 10 {
			resp, err := hc.Get(api.URL)
			if err != nil {
				fmt.Println(err)
				return
			}
			_ = resp.Body.Close()
		}
	}
	fmt.Println(len(api.Requests()), "requests")
	// Output: 20 requests
}

// Every process that declares the rule through a fleet of one store keeps to its part of the quota.
func Example_rule() {
	var store fleet.Memory // redisfleet has one for several processes
	f, err := fleet.New(&store, []byte("sixteen bytes or more"))
	if err != nil {
		panic(err)
	}
	hc, err := client.New(client.WithFleet(f), client.WithRule(queue.Rule{
		Name: "hourly", Limits: []queue.Quota{queue.PerHour(300)}, Fleet: true,
	}))
	fmt.Println(hc != nil, err, f.Close(context.Background()))
	// Output: true <nil> <nil>
}
