package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// A limit that responses to GETs tell of, and that POSTs spend too without a word of it, is used by
// both, although no window is large enough to see much of them.
func TestLimitToldToSomeRequests(t *testing.T) {
	t.Parallel()
	for name, callers := range map[string]int{"one caller": 1, "five callers": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chance.Bubble(t, func(t testing.TB) {
				const limit, runs = 5, 2 * time.Minute
				api, served := inSeconds(limit, time.Second, func(*http.Request) string { return "" })
				tell := api.answer
				api.answer = func(r *http.Request) *http.Response {
					resp := tell(r)
					for name := range resp.Header {
						if r.Method == http.MethodPost && strings.HasPrefix(name, "X-Ratelimit") {
							resp.Header.Del(name)
						}
					}
					return resp
				}
				callFor(t, transport(t, api), runs, callers, func(ctx context.Context, caller, n int) *http.Request {
					method := http.MethodGet
					if (caller+n)%4 == 1 {
						method = http.MethodPost
					}
					r, _ := http.NewRequestWithContext(ctx, method, "https://api.example.com/things", nil)
					return r
				})
				used := float64(*served) / (limit * runs.Seconds())
				t.Logf("used %.3f, refused %d", used, api.refusals)
				assert.Greater(t, used, .65)
				assert.Less(t, api.refusals, 20)
			})
		})
	}
}
