package client

import (
	"net/http"
	"testing"
)

// BenchmarkAccount is what it costs to find whose quota a request spends, once it is
// known. None of these may allocate.
func BenchmarkAccount(b *testing.B) {
	const sigv4 = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	usual := []string{"Accept", "application/json", "User-Agent", "Go-http-client/1.1", "Content-Type", "application/json", "X-Request-Id", "7"}
	t, err := NewTransport(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	for name, c := range map[string]struct {
		url    string
		fields []string
	}{
		"none":    {"https://api.test/items", nil},
		"bearer":  {"https://api.test/items", append([]string{"Authorization", "Bearer 0123456789abcdef0123456789abcdef"}, usual...)},
		"api-key": {"https://api.test/items", append([]string{"X-Api-Key", "0123456789abcdef0123456789abcdef"}, usual...)},
		"sigv4":   {"https://api.test/items", append([]string{"Authorization", sigv4, "X-Amz-Date", "20260101T000000Z"}, usual...)},
		"query":   {"https://api.test/items?page=2&limit=100&sort=created_at&api_key=0123456789abcdef", usual},
	} {
		b.Run(name, func(b *testing.B) {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, c.url, nil)
			if err != nil {
				b.Fatal(err)
			}
			for i := 0; i < len(c.fields); i += 2 {
				req.Header.Set(c.fields[i], c.fields[i+1])
			}
			options := callOptionsOf(req.Context())
			t.account(req, options)
			if n := testing.AllocsPerRun(10, func() { t.account(req, options) }); n > 0 {
				b.Errorf("%v allocations", n)
			}
			for b.Loop() {
				t.account(req, options)
			}
		})
	}
}
