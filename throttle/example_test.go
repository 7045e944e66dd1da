package throttle_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// A client asks before each request, and passes on what comes back.
func Example() {
	now := time.Date(2026, 3, 2, 12, 0, 17, 0, time.UTC)
	k, err := throttle.New(throttle.DefaultPolicy(), now)
	if err != nil {
		log.Fatal(err)
	}
	if a := k.Ask(now, 1); a.Limit == "" {
		ticket := k.Take(now, 1)
		now = now.Add(100 * time.Millisecond) // the round trip

		var r header.Reading
		r.Read(200, http.Header{
			"Date":                  {"Mon, 02 Mar 2026 12:00:17 GMT"},
			"X-Ratelimit-Limit":     {"200"},
			"X-Ratelimit-Remaining": {"0"},
			"X-Ratelimit-Reset":     {"1772452860"},
		}, nil, now)
		k.Observe(now, ticket, &r)
	}
	a := k.Ask(now, 1)
	fmt.Printf("next at %s, because of %q\n", a.At.Round(time.Minute).Format(time.TimeOnly), a.Limit)
	// Output: next at 12:01:00, because of "default"
}

// The first request of a key goes alone: its answer may say how many can follow.
func ExampleLimiter_Ask() {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	k, _ := throttle.New(throttle.DefaultPolicy(), now)
	first := k.Take(now, 1)
	fmt.Println(k.Ask(now, 1).Limit)
	k.Observe(now.Add(time.Second/10), first, &header.Reading{})
	fmt.Printf("%q\n", k.Ask(now.Add(time.Second/10), 1).Limit)
	// Output:
	// first answer
	// ""
}

// Half of each limit is left to others, and the rest is spread evenly.
func ExamplePolicy() {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	k, err := throttle.New(throttle.Policy{Threshold: throttle.Share(1), Reserve: throttle.Share(0.5)}, now)
	if err != nil {
		log.Fatal(err)
	}
	count := func(n float64) header.Count { return header.Count{Value: n, State: header.Known} }
	k.Observe(now, k.Take(now, 1), &header.Reading{Windows: []header.Window{{
		Name: "minute", Unit: "requests", Limit: count(120), Remaining: count(119), Length: time.Minute,
		Reset: header.Reset{In: time.Minute, Resolution: time.Millisecond},
	}}})
	a := k.Ask(now, 1)
	fmt.Println(a.Limit, a.At.Sub(now).Round(100*time.Millisecond))

	_, err = throttle.New(throttle.Policy{Reserve: throttle.Share(1)}, now)
	fmt.Println(err)
	// Output:
	// minute 1s
	// throttle: reserve: a share must be less than 1, or nothing is left to send
}

// What refusals taught outlives the program.
func ExampleLimiter_Restore() {
	stored := `{"limit":300,"length":3600000000000}`
	var lesson throttle.Lesson
	if err := json.Unmarshal([]byte(stored), &lesson); err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	k, _ := throttle.New(throttle.DefaultPolicy(), now)
	if err := k.Restore(now, lesson); err != nil {
		log.Fatal(err)
	}
	w := k.Status(now).Windows[0]
	fmt.Println(w.Name, w.Limit, w.Length, w.Kind)
	// Output: learned 300 1h0m0s rolling
}

func ExampleLimiter_Status() {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	k, _ := throttle.New(throttle.DefaultPolicy(), now)
	count := func(n float64) header.Count { return header.Count{Value: n, State: header.Known} }
	k.Observe(now, k.Take(now, 1), &header.Reading{Windows: []header.Window{{
		Name: "minute", Unit: "requests", Limit: count(120), Remaining: count(119), Length: time.Minute,
		Reset: header.Reset{In: time.Minute, Resolution: time.Millisecond},
	}}})
	k.Take(now, 1)
	s := k.Status(now)
	fmt.Println(s.Windows[0].Name, s.Windows[0].Limit, s.Windows[0].Credit, s.InFlight)
	// Output: minute 120 118 1
}
