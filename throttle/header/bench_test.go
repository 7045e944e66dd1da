package header

import (
	"net/http"
	"testing"
	"time"
)

// benchNow is when the responses of the benchmarks came in.
var benchNow = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// typical returns the header of an ordinary response with eight fields, and
// more fields added to it.
func typical(more ...string) http.Header {
	h := http.Header{}
	h.Set("Date", "Sun, 01 Mar 2026 12:00:00 GMT")
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", "1234")
	h.Set("Server", "nginx")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Request-Id", "0ea61d3e-9f6e-4b7e-8a43-1c3a4a3fd1f2")
	h.Set("Etag", `W/"5f3c-17a"`)
	for i := 0; i < len(more); i += 2 {
		h.Add(more[i], more[i+1])
	}
	return h
}

var benchHeaders = map[string]http.Header{
	"none": typical(),
	"epoch": typical("X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4999",
		"X-RateLimit-Reset", "1772370000"),
	"delta": typical("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "42", "X-RateLimit-Reset", "17"),
	"nine suffixed": typical(
		"X-RateLimit-Limit-Minute", "600", "X-RateLimit-Remaining-Minute", "595", "X-RateLimit-Reset-Minute", "1772366460",
		"X-RateLimit-Limit-Hour", "15000", "X-RateLimit-Remaining-Hour", "14995", "X-RateLimit-Reset-Hour", "1772370000",
		"X-RateLimit-Limit-Day", "250000", "X-RateLimit-Remaining-Day", "249995", "X-RateLimit-Reset-Day", "1772409600"),
	"two policies": typical(
		"RateLimit", `"burst";r=40;t=12, "daily";r=900;t=40000`,
		"RateLimit-Policy", `"burst";q=100;w=60, "daily";q=1000;w=86400`),
	"draft 7": typical("RateLimit", "limit=100, remaining=50, reset=5", "RateLimit-Policy", "100;w=10"),
	"draft 6": typical("RateLimit-Limit", "100", "RateLimit-Remaining", "50", "RateLimit-Reset", "5",
		"RateLimit-Policy", "100;w=10"),
}

func BenchmarkReader(b *testing.B) {
	for name, h := range benchHeaders {
		b.Run(name, func(b *testing.B) {
			var rd Reader
			var r Reading
			b.ReportAllocs()
			for b.Loop() {
				rd.Read(&r, http.StatusOK, h, nil, benchNow)
			}
		})
	}
}

func BenchmarkReading(b *testing.B) {
	for name, h := range benchHeaders {
		b.Run(name, func(b *testing.B) {
			var r Reading
			b.ReportAllocs()
			for b.Loop() {
				r.Read(http.StatusOK, h, nil, benchNow)
			}
		})
	}
}
