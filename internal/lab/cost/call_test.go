package cost

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkCall is a request that need not wait, over a transport that does nothing
// but answer with the headers of a limit.
func BenchmarkCall(b *testing.B) { calls(b, newNoop()) }

// BenchmarkCallSilent is the same to an API that says nothing of limits.
func BenchmarkCallSilent(b *testing.B) { calls(b, newSilent()) }

func calls(b *testing.B, base http.RoundTripper) {
	for _, c := range wrapped(b, base) {
		b.Run(c.name, func(b *testing.B) {
			req := newRequest(b, "https://api.test/items", "secret")
			b.ReportAllocs()
			for b.Loop() {
				exchange(b, c, req)
			}
		})
	}
}

// BenchmarkCallParallel is BenchmarkCall from many goroutines at once.
func BenchmarkCallParallel(b *testing.B) {
	for _, c := range wrapped(b, newNoop()) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req := newRequest(b, "https://api.test/items", "secret")
				for pb.Next() {
					exchange(b, c, req)
				}
			})
		})
	}
}

// BenchmarkLoopback is a request to a real server on this machine.
func BenchmarkLoopback(b *testing.B) {
	fields := newNoop().fields
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), fields)
		_, _ = io.WriteString(w, `{"data":[]}`)
	}))
	defer server.Close()
	base := http.DefaultTransport.(*http.Transport).Clone()
	defer base.CloseIdleConnections()
	for _, c := range wrapped(b, base) {
		b.Run(c.name, func(b *testing.B) {
			req := newRequest(b, server.URL+"/items", "secret")
			b.ReportAllocs()
			for b.Loop() {
				exchange(b, c, req)
			}
		})
	}
}

func exchange(tb testing.TB, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		tb.Fatal(err)
	}
	resp.Body.Close()
}
