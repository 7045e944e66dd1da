package apiserver

import (
	"fmt"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// BundleportLimits are the limits of one service account. Zeros mean the
// defaults of the API: 600, 15,000 and 250,000.
type BundleportLimits struct {
	Minute int
	Hour   int
	Day    int
}

// NewBundleport returns an API with the limits of Bundleport, which sits behind
// Kong: requests of each API key in a minute, an hour and a day at once, all
// fixed windows on the clock; X-RateLimit-Limit-Minute, -Remaining-Minute and
// -Reset-Minute with the reset in epoch seconds, the same for -Hour and -Day, on
// every response, and Retry-After in seconds on refusals. KongGeneric adds the
// fields without a suffix.
//
// For speed and change see NewBindbee. Above a speed of 1 the windows are called
// FastMinute, FastHour and FastDay, as a client may take a minute at its word, and
// resets are seconds from now.
//
// Source: the page "Rate Limits" of the Bundleport API documentation.
func NewBundleport(limits BundleportLimits, speed float64, change ...func(*Config)) (*Server, error) {
	if limits.Minute < 0 || limits.Hour < 0 || limits.Day < 0 {
		return nil, fmt.Errorf("apiserver: a limit is negative: %+v", limits)
	}
	windows := []struct {
		name   string
		limit  int
		length time.Duration
	}{
		{"Minute", or(limits.Minute, 600), time.Minute},
		{"Hour", or(limits.Hour, 15_000), time.Hour},
		{"Day", or(limits.Day, 250_000), 24 * time.Hour},
	}
	dialect := Dialect{Fields: Suffixed, Rounding: rounding(speed), RetryAfter: Seconds}
	if speed > 1 {
		dialect.Form = Delta
	}
	for i := range windows {
		var err error
		if speed > 1 {
			windows[i].name = "Fast" + windows[i].name
		}
		if windows[i].length, err = scaled(windows[i].length, speed); err != nil {
			return nil, err
		}
	}
	return build(Config{Rules: []Rule{{
		Model: func(string) ratemodel.Model {
			all := make(ratemodel.All, len(windows))
			for i, w := range windows {
				f := ratemodel.NewFixed(w.limit, w.length)
				f.Name = w.name
				all[i] = f
			}
			return all
		},
		Dialect: dialect,
		Body:    bundleportRefusal,
	}}}, change)
}

// KongGeneric makes a Bundleport server send X-RateLimit-Limit, -Remaining and
// -Reset too, for the window with the fewest requests remaining.
func KongGeneric(c *Config) { c.Rules[0].Dialect.Fields |= XRateLimit }

func bundleportRefusal(f Refusal) any {
	type detail struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	return map[string]detail{"error": {
		Code:    "RATE_LIMIT_EXCEEDED",
		Message: "Rate limit exceeded. Retry after " + seconds(int64(f.Wait), Ceil) + " seconds.",
	}}
}

func or(n, standard int) int {
	if n == 0 {
		return standard
	}
	return n
}
