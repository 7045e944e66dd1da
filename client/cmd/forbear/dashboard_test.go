package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each metric that the dashboard shows is one that the proxy exports.
func TestDashboardShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	dashboard, err := os.ReadFile("../../otelforbear/grafana/limits.json")
	require.NoError(t, err)
	refused := 0
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "2")
		w.Header().Set("X-RateLimit-Remaining", "1")
		w.Header().Set("X-RateLimit-Reset", "3600")
		if refused++; refused == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	p := start(t, "-config", write(t, "conf", "name X-Team\nto / "+api.URL+"\nrule daily limit=2/24h"))
	for range 2 { // refused, retried, and then too many a day
		ask(t, http.MethodGet, p.url, "", "X-Team", "blue")
	}
	_, exported := ask(t, http.MethodGet, p.url+"/-/metrics", "")
	names := regexp.MustCompile(`forbear_[a-z_]+\{`).FindAllString(string(dashboard), -1)
	require.Greater(t, len(names), 9)
	for _, name := range names {
		require.Contains(t, exported, "\n"+name, exported)
	}
	for _, label := range []string{"server_address", "forbear_limit_name", "forbear_key_name", "forbear_queue_outcome", "error_type", "http_response_status_code"} {
		require.Contains(t, string(dashboard), label)
		require.Contains(t, exported, label+"=")
	}
	require.NotContains(t, strings.ReplaceAll(string(dashboard), "${datasource}", ""), `"uid": "P`)
}
