// Package peer makes the clients that the lab compares: libraries and recipes, each
// set up as its own documentation advises, as an http.RoundTripper over any base.
package peer

import (
	"net/http"
	"time"
)

// A Client is one of the clients that are compared.
type Client struct {
	// Name is what tables call it.
	Name string
	// Module is the Go module that it comes from; it is empty for recipes, and for
	// forbear itself.
	Module string
	// Setup says in a queue how it is set up.
	Setup string
	// Told says that it is given the limit, which the others have to find out.
	Told bool
	// Retries says that it is a library that sends refused requests again.
	Retries bool
	// New makes one. A client that does not tell keys apart gets one for each key.
	New func(Setting) (http.RoundTripper, error)
	// Keyed says that one client serves all keys.
	Keyed bool
}

// A Setting is what a client works with.
type Setting struct {
	// Base sends the requests.
	Base http.RoundTripper
	// Rate is what the API allows in the long run, in one piece: of several windows the
	// one that allows least. Only clients that are told the limit look at it.
	Rate Rate
	// Window is the limit that the recipes of API guides are given: that of the
	// shortest window that matters to them.
	Window Rate
}

// A Rate is so many requests in a period.
type Rate struct {
	Limit int
	Per   time.Duration
}

// Interval is the time from one request to the next.
func (r Rate) Interval() time.Duration { return r.Per / time.Duration(r.Limit) }

// Forbear is the name of the client that this repository makes.
const Forbear = "forbear"

// All returns all clients, forbear last.
func All() []Client {
	return []Client{
		{
			Name: "go-retryablehttp", Module: "github.com/hashicorp/go-retryablehttp", New: newRetryable, Retries: true,
			Setup: "`NewClient()` as it is, logger off: 4 retries, after `Retry-After` or 1 to 30 s",
		},
		{
			Name: "failsafe-go, retry", Module: "github.com/failsafe-go/failsafe-go", New: newFailsafe, Retries: true,
			Setup: "`failsafehttp.NewRetryPolicyBuilder()` as it is: 2 retries, after `Retry-After` or at once",
		},
		{
			Name: "failsafe-go, retry and limiter", Module: "github.com/failsafe-go/failsafe-go", New: newFailsafeLimited, Retries: true, Told: true,
			Setup: "the same around `ratelimiter.NewSmoothBuilder(limit, period)`, which may wait an hour",
		},
		{
			Name: "go-github-ratelimit", Module: "github.com/gofri/go-github-ratelimit/v2", New: newGitHub, Retries: true,
			Setup: "`github_ratelimit.New` as it is; responses also get the `X-RateLimit-Resource` that it needs; callers wait until the time that its error names",
		},
		{
			Name: "resty", Module: "github.com/go-resty/resty/v2", New: newResty, Retries: true,
			Setup: "as in its README: 3 retries, 5 to 20 s, on 429; `SetRetryAfter` reads `Retry-After`",
		},
		{
			Name: "AWS SDK, adaptive mode", Module: "github.com/aws/aws-sdk-go-v2", New: newAWS, Retries: true,
			Setup: "`retry.NewAdaptiveMode()` as it is, in the loop of the SDK's middleware; a 429 is a ThrottlingException",
		},
		{
			Name: "x/time/rate, burst 1", Module: "golang.org/x/time", New: newRate(false), Told: true,
			Setup: "`Limiter.Wait` before each request; no retries",
		},
		{
			Name: "x/time/rate, burst = limit", Module: "golang.org/x/time", New: newRate(true), Told: true,
			Setup: "the same with room for a whole window at once",
		},
		{
			Name: "guide: request queue", New: newQueue, Told: true,
			Setup: "the queue of Bundleport's guide: 10 at once, a log of the last window; a refused request is sent once more after `Retry-After`, else a minute",
		},
		{
			Name: "guide: proactive throttler", New: newThrottler,
			Setup: "the throttler of Pullbay's guide: with 5 left, wait until a second after `X-RateLimit-Reset`",
		},
		{
			Name: "guide: worker at a rate", New: newWorker, Told: true,
			Setup: "the queue of Pullbay's guide: one worker that sleeps for 1/rate after each request",
		},
		{
			Name: Forbear, New: newForbear, Retries: true, Keyed: true,
			Setup: "`client.NewTransport(base)`: no option, one for all keys",
		},
	}
}

// Named returns the client of a name.
func Named(name string) (Client, bool) {
	for _, c := range All() {
		if c.Name == name {
			return c, true
		}
	}
	return Client{}, false
}
