package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
)

// byAny returns requests with one credential of five, whoever sends them.
func byAny(ctx context.Context, caller, n int) *http.Request {
	return byCaller(ctx, (caller+n*n+n/7)%5, 0)
}

// silentInSeconds is an API of which nothing tells a limit but Retry-After, if that is told.
func silentInSeconds(limit int, per time.Duration, told bool, group func(*http.Request) string) (*routed, *int) {
	api, served := inSeconds(limit, per, group)
	tell := api.answer
	api.answer = func(r *http.Request) *http.Response {
		resp := tell(r)
		for name := range resp.Header {
			if strings.HasPrefix(name, "X-Ratelimit") || !told && name == "Retry-After" {
				resp.Header.Del(name)
			}
		}
		return resp
	}
	return api, served
}

// Five credentials spend one limit that is not announced: refusals show it, as while one is refused all are. If each has a limit
// of its own, however small, each stays a key.
func TestCredentialsThatShareASilentLimit(t *testing.T) {
	figures(t)
	all := func(*http.Request) string { return "" }
	each := func(r *http.Request) string { return r.Header.Get("Authorization") }
	for name, c := range map[string]struct {
		limit    int
		per      time.Duration
		group    func(*http.Request) string
		callers  int
		keys     int
		used     float64
		possible int // limits
		bare     bool
	}{
		"10 a second":           {10, time.Second, all, 5, 1, 0.8, 1, false},
		"10 a second, bare":     {10, time.Second, all, 5, 1, 0.7, 1, true},
		"34 in 10 s":            {34, 10 * time.Second, all, 5, 1, 0.85, 1, false},
		"1 in 10 s each":        {1, 10 * time.Second, each, 20, 5, 0.5, 5, false},
		"1 in 10 s each, bare":  {1, 10 * time.Second, each, 20, 5, 0.5, 5, true},
		"1 a second each":       {1, time.Second, each, 5, 5, 0.45, 5, false},
		"1 a second each, bare": {1, time.Second, each, 5, 5, 0.45, 5, true},
		"2 a second each":       {2, time.Second, each, 20, 5, 0.7, 5, false},
		"10 in 10 s each":       {10, 10 * time.Second, each, 20, 5, 0.5, 5, false},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				const runs = 6 * time.Minute
				api, served := silentInSeconds(c.limit, c.per, !c.bare, c.group)
				rt := transport(t, api)
				defer rt.Close()
				callFor(t, rt, runs, c.callers, byAny)
				*served = 0
				callFor(t, rt, runs, c.callers, byAny)
				known := map[string]bool{}
				for k := range 5 {
					s, err := rt.Status(byCaller(t.Context(), k, 0))
					require.NoError(t, err)
					known[s.Key] = true
				}
				used := float64(*served) / float64(c.possible*c.limit*int(runs/c.per))
				t.Logf("%.2f used, %d refused, %d keys", used, api.refusals, len(known))
				assert.Len(t, known, c.keys)
				assert.GreaterOrEqual(t, used, c.used)
			})
		})
	}
}
