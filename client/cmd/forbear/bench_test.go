//go:build unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkPassOn compares the proxy with httputil.ReverseProxy alone, on loopback. The
// processor time is that of callers, proxy and API.
func BenchmarkPassOn(b *testing.B) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "1000000000")
		w.Header().Set("X-RateLimit-Remaining", "999999999")
		w.Header().Set("X-RateLimit-Reset", "3600")
		_, _ = io.WriteString(w, "ok")
	}))
	defer api.Close()
	target, err := url.Parse(api.URL)
	require.NoError(b, err)
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 100
	plain := httptest.NewServer(&httputil.ReverseProxy{Transport: base, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	defer plain.Close()
	p := start(b, "-to", api.URL)
	for name, address := range map[string]string{"ReverseProxy": plain.URL, "forbear": p.url} {
		b.Run(name, func(b *testing.B) {
			caller := http.DefaultTransport.(*http.Transport).Clone()
			caller.MaxIdleConnsPerHost = 100
			defer caller.CloseIdleConnections()
			b.SetParallelism(8)
			b.ReportAllocs()
			before := processorTime(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
					if err != nil {
						b.Error(err)
						return
					}
					resp, err := caller.RoundTrip(req)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime returns how much time of a processor this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
