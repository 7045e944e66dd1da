package fleet

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/forbear-go/forbear/client"
)

// A plentiful API answers at once, and always has enough left.
type plentiful struct{}

func (plentiful) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"X-Ratelimit-Limit": {"100000000"}, "X-Ratelimit-Remaining": {"90000000"}, "X-Ratelimit-Reset": {"60"}},
		Body:   io.NopCloser(strings.NewReader("")),
	}, nil
}

// BenchmarkFleet is what a request costs with a fleet and without: without, it must be what
// BenchmarkRoundTrip of package client shows.
func BenchmarkFleet(b *testing.B) {
	f, err := New(new(Memory), []byte("0123456789abcdef"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close(b.Context()) })
	for name, opts := range map[string][]client.Option{"without": nil, "with": {client.WithFleet(f)}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			tr, err := client.NewTransport(plentiful{}, opts...)
			if err != nil {
				b.Fatal(err)
			}
			defer tr.Close()
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://api.test/items", nil)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				resp, err := tr.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
			}
		})
	}
}
