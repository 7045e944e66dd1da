package header_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

var received = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func ExampleReading_Read() {
	h := http.Header{}
	h.Set("X-RateLimit-Limit-Minute", "600")
	h.Set("X-RateLimit-Remaining-Minute", "0")
	h.Set("X-RateLimit-Reset-Minute", "17")
	h.Set("X-RateLimit-Limit-Day", "250000")
	h.Set("X-RateLimit-Remaining-Day", "249400")

	var r header.Reading
	r.Read(http.StatusTooManyRequests, h, nil, received)
	for _, w := range r.Windows {
		fmt.Println(w.Name, w.Length, w.Limit.Value, w.Remaining.Value)
	}
	fmt.Println("refused:", r.Refused, "wait:", r.Wait.Delay, "explicit:", r.Wait.Explicit)
	// Output:
	// minute 1m0s 600 0
	// day 24h0m0s 250000 249400
	// refused: true wait: 17s explicit: false
}

func ExampleReader_Read() {
	// One for each host; it is safe for concurrent use. Readings come from a pool.
	rd, err := header.NewReader("api.example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	h := http.Header{}
	h.Set("RateLimit-Policy", `"burst";q=100;w=60, "daily";q=1000;w=86400`)
	h.Set("RateLimit", `"daily";r=900;t=40000, "burst";r=40;t=12`)

	var r header.Reading
	rd.Read(&r, http.StatusOK, h, nil, received)
	for _, w := range r.Windows {
		fmt.Println(w.Name, w.Limit.Value, w.Remaining.Value, w.Reset.In)
	}
	// Output:
	// burst 100 40 12s
	// daily 1000 900 11h6m40s
}

func ExampleNewReader() {
	// Only the documentation of this API says that a reset is in milliseconds, and
	// that the field Calls counts down.
	rd, err := header.NewReader("api.example.com", header.Dialect{
		Name:  "example",
		Hosts: []string{".example.com"},
		Fields: map[string]header.Field{
			"X-RateLimit-Reset": {Role: header.ResetTime, Unit: time.Millisecond},
			"Calls":             {Role: header.Remaining, Window: "monthly", Counts: "calls"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := http.Header{}
	h.Set("X-RateLimit-Reset", "1500")
	h.Set("Calls", "72")

	var r header.Reading
	rd.Read(&r, http.StatusOK, h, nil, received)
	for _, w := range r.Windows {
		fmt.Println(w.Name, w.Remaining.Known(), w.Remaining.Value, w.Reset.In)
	}
	// Output:
	// default false 0 1.5s
	// monthly true 72 0s
}

func ExampleNamed() {
	// A gateway runs under its users' hosts, so its dialect is chosen by name.
	mulesoft, err := header.Named("mulesoft")
	if err != nil {
		fmt.Println(err)
		return
	}
	rd, err := header.NewReader("api.example.com", mulesoft)
	if err != nil {
		fmt.Println(err)
		return
	}
	var r header.Reading
	rd.Read(&r, http.StatusTooManyRequests, http.Header{"X-Ratelimit-Reset": {"42000"}}, nil, received)
	fmt.Println(r.Wait.Delay)
	// Output: 42s
}

func ExamplePeekBody() {
	resp := &http.Response{
		StatusCode: http.StatusTooManyRequests,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewBufferString(`{"parameters":{"retry_after":30}}`)), ContentLength: 33,
	}
	var body []byte
	if header.NeedsBody(resp.StatusCode, resp.Header) {
		body, resp = header.PeekBody(resp, time.Second)
	}
	var r header.Reading
	r.Read(resp.StatusCode, resp.Header, body, received)
	fmt.Println(r.Wait.Delay)

	// The caller still gets all of it.
	all, _ := io.ReadAll(resp.Body)
	fmt.Println(string(all))
	// Output:
	// 30s
	// {"parameters":{"retry_after":30}}
}

func ExampleCount() {
	for _, v := range []string{"0", "-1", "many"} {
		var r header.Reading
		r.Read(http.StatusOK, http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {v}}, nil, received)
		left := r.Windows[0].Remaining
		fmt.Println(v, left.State == header.Known, left.State == header.Unlimited, left.State == header.Malformed)
	}
	// Output:
	// 0 true false false
	// -1 false true false
	// many false false true
}

func ExampleReset_Delay() {
	reset := header.Reset{At: received.Add(time.Minute), Resolution: time.Second}
	fmt.Println(reset.Known(), reset.Delay(received), reset.Delay(received.Add(time.Hour)))
	// Output: true 1m0s 0s
}
