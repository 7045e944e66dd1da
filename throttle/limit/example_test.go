package limit_test

import (
	"fmt"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A server that estimates a rolling window from two fixed ones, as go-chi/httprate does, may weigh a
// burst for two windows: here half of it a window and a half after it went.
func ExampleQuota_SlidingCounter() {
	l, _ := limit.Per(100, time.Minute).SlidingCounter().Slack(0).Limiter()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	burst := limit.Demand{Requests: 100}
	l.Take(start, burst)
	for _, after := range []time.Duration{60 * time.Second, 90 * time.Second, 120 * time.Second} {
		most := 100
		for most > 0 && !l.Ask(start.Add(after), limit.Demand{Requests: most}).At.IsZero() {
			most--
		}
		fmt.Println(after, most)
	}
	// Output:
	// 1m0s 0
	// 1m30s 50
	// 2m0s 100
}

// A quota for the calendar day of a time zone, which has 23 hours once a year.
func ExampleQuota_FixedWindow() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	l, _ := limit.Per(1, 24*time.Hour).FixedWindow(berlin).Slack(0).Limiter()
	now := time.Date(2026, 3, 29, 1, 0, 0, 0, berlin)
	l.Take(now, limit.Demand{})
	fmt.Println(l.Ask(now, limit.Demand{}).At.Sub(now))
	// Output: 22h0m0s
}

// Several limits as one, beside each other.
func ExampleAll() {
	second, _ := limit.Per(5, time.Second).Limiter()
	hour, _ := limit.Per(5, time.Hour).Limiter()
	both := limit.All(second, hour)
	now := time.Now()
	d := limit.Demand{Requests: 5}
	both.Take(now, d)
	fmt.Println(both.Ask(now, d).Limit)
	// Output: 5 per hour
}
