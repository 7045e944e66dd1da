package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/forbear-go/forbear/backoff/breaker"
	"github.com/forbear-go/forbear/client"
)

// A server that does not answer is asked again; a stream that was answered goes on.
func ExampleWithAttemptTimeout() {
	n := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			<-r.Context().Done() // until the client hangs up
			return
		}
		fmt.Fprint(w, "at last")
	}))
	defer api.Close()
	hc, err := client.New(client.WithAttemptTimeout(time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(string(text), "after", n, "attempts")
	// Output: at last after 2 attempts
}

// While a server fails, nothing is sent to it.
func ExampleWithBreaker() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer api.Close()
	perKey, err := breaker.PerKey(breaker.Defaults())
	if err != nil {
		fmt.Println(err)
		return
	}
	rt, err := client.NewTransport(nil, client.WithBreaker(perKey), client.WithRetries(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: rt}
	for range 20 {
		resp, err := hc.Get(api.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	_, err = hc.Get(api.URL)
	if e, ok := errors.AsType[*client.Error](err); ok && errors.Is(err, client.ErrCircuitOpen) {
		fmt.Println("circuit open for", time.Until(e.Until).Round(time.Second))
	}
	req, err := http.NewRequest(http.MethodGet, api.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if b, ok := rt.Breaker(req).(*breaker.Breaker); ok {
		fmt.Printf("%+v\n", b.Stats())
	}
	// Output:
	// circuit open for 5s
	// {State:open Successes:0 Failures:0 Trips:1 Rejected:1}
}

// A body that comes from a stream is recorded while it is sent, so that it can be sent again: here up
// to 64 KiB of it.
func ExampleWithBodyBuffer() {
	n := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Retry-After-Ms", "5")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer api.Close()
	hc, err := client.New(client.WithBodyBuffer(64 << 10))
	if err != nil {
		fmt.Println(err)
		return
	}
	stream := io.MultiReader(strings.NewReader("from "), strings.NewReader("a stream"))
	resp, err := hc.Post(api.URL, "text/plain", stream)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, string(text))
	// Output: 200 OK from a stream
}

// A program that answers somebody who waits gives up early, and gets what came last.
func ExampleWithMaxElapsed() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer api.Close()
	hc, err := client.New(client.WithMaxElapsed(2 * time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 502 Bad Gateway
}

// Failures cost a server at most a tenth more requests, and three.
func ExampleWithRetryBudget() {
	rt, err := client.NewTransport(nil, client.WithRetryBudget(.1, 3, 10*time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://api.example.com", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rt.Budget(req).Free, "retries are free")
	// Output: 3 retries are free
}

func ExampleTransport_Retries() {
	api := refusesFirst()
	defer api.Close()
	rt, err := client.NewTransport(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: rt}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(rt.Retries().Retries, "retry")
	// Output: 1 retry
}
