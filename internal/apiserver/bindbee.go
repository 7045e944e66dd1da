package apiserver

import (
	"fmt"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// NewBindbee returns an API with the limits of Bindbee: 200 requests a minute for
// each X-Connector-Token, in fixed windows on the clock; the three X-RateLimit
// fields with the reset in epoch seconds on every response, and Retry-After in
// seconds on refusals.
//
// At a speed of 60 a minute lasts a second; 1 is the real API. Above 1 resets
// have three decimals, as whole seconds would be too coarse. The functions in
// change are applied last.
//
// Source: the page "Rate Limits" of the Bindbee API documentation.
func NewBindbee(speed float64, change ...func(*Config)) (*Server, error) {
	const limit = 200
	minute, err := scaled(time.Minute, speed)
	if err != nil {
		return nil, err
	}
	return build(Config{Rules: []Rule{{
		Model:   func(string) ratemodel.Model { return ratemodel.NewFixed(limit, minute) },
		Dialect: Dialect{Fields: XRateLimit, Rounding: rounding(speed), RetryAfter: Seconds},
		Body: func(Refusal) any {
			return refusalBody{
				Error:   "Rate limit exceeded",
				Message: fmt.Sprintf("You have exceeded the rate limit of %d requests per minute", limit),
			}
		},
	}}}, change)
}
