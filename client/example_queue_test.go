package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// twice sends two requests, one after the other, with an hour's quota of one, and says what
// came of the second.
func twice(opts ...client.Option) error {
	api := open()
	defer api.Close()
	hourly := client.WithRule(queue.Rule{Name: "hourly", Limits: []queue.Quota{queue.PerHour(1)}})
	hc, err := client.New(append(opts, hourly, client.WithMaxWait(2*time.Hour))...)
	if err != nil {
		return err
	}
	for range 2 {
		var resp *http.Response
		if resp, err = hc.Get(api.URL); err == nil {
			resp.Body.Close()
		}
	}
	return err
}

// No request may wait: one that would have to fails at once.
func ExampleWithMaxWaiting() {
	err := twice(client.WithMaxWaiting(0, queue.RefuseNewest))
	fmt.Println(errors.Is(err, client.ErrFull))
	// Output: true
}

// One key cannot fill the queue of all.
func ExampleWithMaxWaitingPerKey() {
	err := twice(client.WithMaxWaitingPerKey(0))
	fmt.Println(errors.Is(err, client.ErrFull))
	// Output: true
}

// Requests of a low priority get at least every tenth permit.
func ExampleWithMinimumShare() {
	_, err := client.New(client.WithMinimumShare(0.1))
	fmt.Println(err)
	_, err = client.New(client.WithMinimumShare(1))
	fmt.Println(err)
	// Output:
	// <nil>
	// queue: the minimum share must be from 0 to 0.2, got 1
}

// A program with a million tenants may remember all of them.
func ExampleWithMaxKeys() {
	_, err := client.New(client.WithMaxKeys(1_000_000))
	fmt.Println(err)
	// Output: <nil>
}
