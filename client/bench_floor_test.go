package client

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// BenchmarkFloor is what remains of a request's cost if its limits were free: its key and route, its response's
// fields, and a lock and the time before it is sent and after it is answered.
func BenchmarkFloor(b *testing.B) {
	t, err := NewTransport(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://api.test/v1/items?page=2", nil)
	if err != nil {
		b.Fatal(err)
	}
	resp := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{
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
	var mu sync.Mutex
	var reading header.Reading
	start, who := time.Now(), t.account(req, &noCallOptions)
	parts := []struct {
		name string
		do   func()
	}{
		{"key", func() { t.account(req, callOptionsOf(req.Context())) }},
		{"route", func() { who.routes.Of(req) }},
		{"lock and time", func() {
			mu.Lock()
			defer mu.Unlock()
			_ = start.Add(time.Since(start))
		}},
		{"fields", func() { who.reader.ReadResponse(&reading, resp, 0, start) }},
		{"lock and time again", func() {
			mu.Lock()
			defer mu.Unlock()
			_ = start.Add(time.Since(start))
		}},
	}
	for _, part := range parts {
		b.Run(part.name, func(b *testing.B) {
			for b.Loop() {
				part.do()
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			for i := range parts {
				parts[i].do()
			}
		}
	})
}
