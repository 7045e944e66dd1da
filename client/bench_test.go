package client_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/backoff/breaker"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// canned answers every request at once, as APIs usually do: with three fields about
// a limit, and a few others.
type canned struct{ header http.Header }

func newCanned() canned {
	return canned{http.Header{
		"Content-Type":          {"application/json; charset=utf-8"},
		"Content-Length":        {"2"},
		"Date":                  {"Sat, 28 Feb 2026 12:00:00 GMT"},
		"Server":                {"nginx"},
		"Cache-Control":         {"no-store"},
		"X-Request-Id":          {"4f9a0c2e6f1b"},
		"X-Ratelimit-Limit":     {"1000000000"},
		"X-Ratelimit-Remaining": {"900000000"},
		"X-Ratelimit-Reset":     {"3600"},
	}}
}

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.header, Body: http.NoBody, ContentLength: 0, Request: req,
	}, nil
}

// dated is canned with a moment as the reset, which only the Date field explains.
func dated() canned {
	c := newCanned()
	c.header.Set("X-Ratelimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	c.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	return c
}

// structured is canned with IETF's fields of two windows in place of the usual ones.
func structured() canned {
	c := newCanned()
	for _, part := range []string{"Limit", "Remaining", "Reset"} {
		c.header.Del("X-Ratelimit-" + part)
	}
	c.header.Set("Ratelimit-Policy", `"burst";q=100000000;w=60, "daily";q=1000000000;w=86400`)
	c.header.Set("Ratelimit", `"burst";r=90000000;t=59, "daily";r=900000000;t=36000`)
	return c
}

// BenchmarkRoundTrip is what a request costs that needs no wait and no retry, by what
// is around the base transport.
func BenchmarkRoundTrip(b *testing.B) {
	own, err := client.NewTransport(newCanned())
	if err != nil {
		b.Fatal(err)
	}
	defer own.Close()
	told, err := client.NewTransport(dated())
	if err != nil {
		b.Fatal(err)
	}
	defer told.Close()
	listed, err := client.NewTransport(structured())
	if err != nil {
		b.Fatal(err)
	}
	defer listed.Close()
	production := func(opts ...client.Option) func(*http.Request) (*http.Response, error) {
		tr, err := client.NewTransport(newCanned(), opts...)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(tr.Close)
		return tr.RoundTrip
	}
	observer := client.WithObserver(func(client.Event) {})
	rule := client.WithRule(queue.Rule{Name: "own", Limits: []queue.Quota{queue.PerHour(1e9)}, MaxInFlight: 1000})
	closing := client.WithBreaker(func(string) backoff.Breaker {
		own, err := breaker.New(breaker.Defaults())
		if err != nil {
			b.Fatal(err)
		}
		return own
	})
	retryable := retryablehttp.NewClient()
	retryable.HTTPClient = &http.Client{Transport: newCanned()}
	retryable.Logger = nil
	for _, c := range []struct {
		name  string
		do    func(*http.Request) (*http.Response, error)
		token string
	}{
		{"bare", newCanned().RoundTrip, ""},
		{"forbear", own.RoundTrip, ""},
		{"forbear-authorized", own.RoundTrip, "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"},
		{"forbear-dated", told.RoundTrip, ""},
		{"forbear-structured", listed.RoundTrip, ""},
		{"forbear-observer", production(observer), ""},
		{"forbear-rule", production(rule), ""},
		{"forbear-breaker", production(closing), ""},
		{"forbear-production", production(observer, rule, closing), ""},
		{"retryablehttp", (&retryablehttp.RoundTripper{Client: retryable}).RoundTrip, ""},
		{"bare-client", (&http.Client{Transport: newCanned()}).Do, ""},
		{"forbear-client", (&http.Client{Transport: own}).Do, ""},
		{"retryablehttp-client", retryable.StandardClient().Do, ""},
	} {
		request := func() *http.Request {
			req := get(context.Background(), "/v1/items?page=2")
			if c.token != "" {
				req.Header.Set("Authorization", c.token)
			}
			return req
		}
		b.Run(c.name+"/serial", func(b *testing.B) {
			b.ReportAllocs()
			req := request()
			for b.Loop() {
				if _, err := c.do(req); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req := request()
				for pb.Next() {
					if _, err := c.do(req); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkCosts is a request to an API that counts requests: what rules and limits in units cost those who
// have none, and those who have.
func BenchmarkCosts(b *testing.B) {
	tokens := client.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerMinute(1e9).Of("tokens")}})
	requests := client.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerMinute(1e9)}})
	for name, opts := range map[string][]client.Option{"none": nil, "requests": {requests}, "tokens": {tokens}} {
		b.Run(name, func(b *testing.B) {
			header := http.Header{"X-Ratelimit-Limit": {"1000000000"}, "X-Ratelimit-Remaining": {"900000000"}, "X-Ratelimit-Reset": {"3600"}}
			tr, err := client.NewTransport(constant{&http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody}}, opts...)
			if err != nil {
				b.Fatal(err)
			}
			defer tr.Close()
			req := get(b.Context(), "/v1/items?page=2")
			b.ReportAllocs()
			for b.Loop() {
				resp, err := tr.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}
