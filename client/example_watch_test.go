package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/queue"
)

// tells is a server that allows 100 requests a minute, and says so.
func tells() *httptest.Server {
	left := 100
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		left--
		w.Header().Set("X-RateLimit-Limit-Minute", "100")
		w.Header().Set("X-RateLimit-Remaining-Minute", strconv.Itoa(left))
	}))
}

func ExampleTransport_Status() {
	api := tells()
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

	req, err := http.NewRequest(http.MethodGet, api.URL, nil) // is not sent
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := rt.Status(req)
	fmt.Println(status, err)
	for _, limit := range status.Windows {
		fmt.Println(limit.Name, limit.Credit, limit.Limit, limit.Length)
	}
	// Output:
	// minute: 99 of 100 left <nil>
	// minute 99 100 1m0s
}

func ExampleTransport_Snapshot() {
	api := tells()
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
	for _, status := range rt.Snapshot() { // one for each key
		fmt.Println(status)
	}
	// Output: minute: 99 of 100 left
}

func ExampleWithObserver() {
	api := refusesFirst()
	defer api.Close()
	hc, err := client.New(client.WithObserver(func(e client.Event) {
		if e.Kind != client.EventWait { // the retry may wait a little for others, or not
			fmt.Println(e.Kind, e.Attempt, e.Status)
		}
	}))
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
	// Output:
	// admit 1 0
	// refuse 1 429
	// retry 1 429
	// admit 2 0
	// answer 2 200
}

// A program that runs again and again begins where the run before ended.
func ExampleWithMemory() {
	api := clienttest.NewServer(clienttest.FromFirst(200, time.Minute), clienttest.Draft8())
	defer api.Close()
	once := func(memory client.Memory) (client.Memory, error) { // one run of the program
		transport, err := client.NewTransport(api.Client().Transport, client.WithMemory(memory))
		if err != nil {
			return nil, err
		}
		hc := &http.Client{Transport: transport}
		resp, err := hc.Get(api.URL)
		if err != nil {
			return nil, err
		}
		return transport.Memory(), resp.Body.Close()
	}

	memory, err := once(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := json.Marshal(memory) // to a file
	if err != nil {
		fmt.Println(err)
		return
	}
	var again client.Memory
	if err := json.Unmarshal(text, &again); err != nil {
		fmt.Println(err)
		return
	}
	for _, lesson := range again {
		fmt.Println(lesson.Windows[0].Remaining, "of", lesson.Windows[0].Limit, "left at the start")
	}
	if memory, err = once(again); err != nil {
		fmt.Println(err)
		return
	}
	for _, lesson := range memory {
		fmt.Println(lesson.Windows[0].Remaining, "of", lesson.Windows[0].Limit, "left at the end")
	}
	// Output:
	// 199 of 200 left at the start
	// 198 of 200 left at the end
}

func ExampleWithScope() {
	api := open()
	defer api.Close()
	hc, err := client.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	// Searches have a limit of their own, and no response shows it.
	ctx := client.WithScope(context.Background(), "search")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, api.URL+"/search", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// One request at a time may be under way, so that the others wait: the important ones go
// first.
func ExampleWithPriority() {
	start := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-start
		fmt.Println(r.URL.Path)
	}))
	defer api.Close()
	rt, err := client.NewTransport(nil, client.WithRule(queue.Rule{MaxInFlight: 1}))
	if err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: rt}
	var senders sync.WaitGroup
	send := func(path string, p queue.Priority, waiting int) {
		senders.Go(func() {
			ctx := client.WithPriority(context.Background(), p)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, api.URL+path, nil)
			if err != nil {
				fmt.Println(err)
				return
			}
			if resp, err := hc.Do(req); err == nil {
				resp.Body.Close()
			}
		})
		for s := rt.Queue().Stats(); s.Waiting+s.InFlight < waiting; s = rt.Queue().Stats() {
			time.Sleep(time.Millisecond)
		}
	}
	send("/first", queue.Normal, 1)
	send("/unimportant", queue.Low, 2)
	send("/important", queue.High, 3)
	close(start)
	senders.Wait()
	// Output:
	// /first
	// /important
	// /unimportant
}

func ExampleWithCost() {
	api := open()
	defer api.Close()
	hc, err := client.New(
		client.WithRule(queue.Rule{Name: "credits", Limits: []queue.Quota{queue.PerDay(8).Named("credits")}}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := client.NoWait(client.WithCost(context.Background(), 5))
	for range 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, api.URL+"/export", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp, err := hc.Do(req)
		if err != nil {
			fmt.Println("not enough credits are left")
			continue
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	}
	// Output:
	// 200 OK
	// not enough credits are left
}

// The token below the client is renewed: what is believed of the old one's quota is
// dropped, so that nobody waits for it.
func ExampleTransport_Forget() {
	token := "old"
	rt, err := client.NewTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}
		if token == "old" {
			resp.Header.Set("X-RateLimit-Limit", "5000")
			resp.Header.Set("X-RateLimit-Remaining", "0")
			resp.Header.Set("X-RateLimit-Reset", "900")
		}
		return resp, nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	hc := &http.Client{Transport: rt}
	req, err := http.NewRequest(http.MethodGet, "https://api.test/items", nil)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		resp, err := hc.Do(req.WithContext(client.NoWait(req.Context())))
		if err != nil {
			fmt.Println("has to wait:", errors.Is(err, client.ErrNoWait))
			break
		}
		_ = resp.Body.Close()
	}

	token = "new"
	rt.Forget(req)
	resp, err := hc.Do(req.WithContext(client.NoWait(req.Context())))
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	fmt.Println(resp.StatusCode)
	rt.Close()
	// Output:
	// has to wait: true
	// 200
}
