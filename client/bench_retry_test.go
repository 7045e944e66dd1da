package client_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
)

// stumbling answers every other request with a failure, at once. Each benchmark has
// its own.
type stumbling struct {
	failure func(*http.Request) *http.Response // nil for none
	good    canned
	n       int
}

func (s *stumbling) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.n++; s.n%2 == 1 && s.failure != nil {
		return s.failure(req), nil
	}
	return s.good.RoundTrip(req)
}

// cannedFailure makes responses of a status, with the usual fields and some more.
func cannedFailure(status int, fields ...string) func(*http.Request) *http.Response {
	h := newCanned().header.Clone()
	for i := 0; i < len(fields); i += 2 {
		h.Set(fields[i], fields[i+1])
	}
	return func(req *http.Request) *http.Response {
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: h, Body: http.NoBody, Request: req,
		}
	}
}

// BenchmarkRetry is what a request costs that is answered at the second attempt, beside
// one that is at the first. Neither client pauses before it goes on after a 503; both
// wait for the microsecond that the server asks for with its 429.
func BenchmarkRetry(b *testing.B) {
	atOnce, err := backoff.New(backoff.Constant(0))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		failure func(*http.Request) *http.Response
	}{
		{"none", nil},
		{"503", cannedFailure(http.StatusServiceUnavailable)},
		{"429", cannedFailure(http.StatusTooManyRequests, "Retry-After", "0.000001",
			"X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "0.000001")},
	} {
		own, err := client.NewTransport(&stumbling{failure: c.failure, good: newCanned()},
			client.WithBackoff(atOnce), client.WithRetryBudget(1, 1<<30, time.Second))
		if err != nil {
			b.Fatal(err)
		}
		defer own.Close()
		peer := retryablehttp.NewClient()
		peer.HTTPClient = &http.Client{Transport: &stumbling{failure: c.failure, good: newCanned()}}
		peer.Logger = nil
		peer.Backoff = func(_, _ time.Duration, _ int, resp *http.Response) time.Duration {
			if resp.StatusCode == http.StatusTooManyRequests {
				return time.Microsecond
			}
			return 0
		}
		for _, d := range []struct {
			name string
			rt   http.RoundTripper
		}{
			{"forbear", own},
			{"retryablehttp", &retryablehttp.RoundTripper{Client: peer}},
		} {
			b.Run(c.name+"/"+d.name, func(b *testing.B) {
				b.ReportAllocs()
				req := get(context.Background(), "/v1/items?page=2")
				for b.Loop() {
					resp, err := d.rt.RoundTrip(req)
					if err != nil || resp.StatusCode != http.StatusOK {
						b.Fatal(resp, err)
					}
				}
			})
		}
	}
}
