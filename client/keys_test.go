package client_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/queue"
)

// byCaller returns requests that each caller sends with a credential of its own.
func byCaller(ctx context.Context, caller, _ int) *http.Request {
	r := get(ctx, "/items")
	r.Header.Set("Authorization", fmt.Sprintf("Bearer secret-%d", caller))
	return r
}

// inSeconds is an API that tells resets in whole seconds of the clock, and counts each group of requests apart.
func inSeconds(limit int, per time.Duration, group func(*http.Request) string) (*routed, *int) {
	api, served := counted(limit, per, group)
	tell := api.answer
	api.answer = func(r *http.Request) *http.Response {
		resp := tell(r)
		left, _ := strconv.ParseFloat(resp.Header.Get("X-Ratelimit-Reset-After"), 64)
		resp.Header.Del("X-Ratelimit-Reset-After")
		end := float64(time.Now().UnixMilli())/1000 + left
		resp.Header.Set("X-Ratelimit-Reset", strconv.FormatFloat(math.Ceil(end), 'f', 0, 64))
		if resp.StatusCode == http.StatusTooManyRequests {
			resp.Header.Set("Retry-After", strconv.FormatFloat(math.Ceil(left), 'f', 0, 64))
		}
		return resp
	}
	return api, served
}

// Five credentials spend one limit, which is found out by what is left: it is used nearly as by one, and not to a third.
// If each has a limit of its own, each is used. What the program counts by key stays apart.
func TestCredentialsThatShareALimit(t *testing.T) {
	figures(t)
	all := func(*http.Request) string { return "" }
	each := func(r *http.Request) string { return r.Header.Get("Authorization") }
	rule := client.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerMinute(10)}})
	for name, c := range map[string]struct {
		limit          int
		per, runs      time.Duration
		group          func(*http.Request) string
		opts           []client.Option
		least, refused int // served by that, and refused
	}{
		"one limit":  {10, time.Second, 2 * time.Minute, all, nil, 1200 * 6 / 10, 48},
		"one each":   {10, time.Second, time.Minute, each, nil, 3000 * 3 / 4, 0},
		"with rules": {100, time.Minute, 5 * time.Minute, all, []client.Option{rule}, 5 * 50, 0},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				api, served := inSeconds(c.limit, c.per, c.group)
				rt := transport(t, api, c.opts...)
				defer rt.Close()
				callFor(t, rt, c.runs, 5, byCaller)
				t.Log(*served, "refused", api.refusals)
				assert.GreaterOrEqual(t, *served, c.least)
				assert.LessOrEqual(t, api.refusals, c.refused)
			})
		})
	}
}

// Credentials that no longer spend one limit are parted, and each has its own status.
func TestCredentialsThatPart(t *testing.T) {
	figures(t)
	chance.Bubble(t, func(t testing.TB) {
		one := true
		api, served := counted(10, time.Second, func(r *http.Request) string {
			if one {
				return ""
			}
			return r.Header.Get("Authorization")
		})
		rt := transport(t, api)
		defer rt.Close()
		keys := func() int {
			known := map[string]bool{}
			for caller := range 5 {
				s, err := rt.Status(byCaller(t.Context(), caller, 0))
				require.NoError(t, err)
				known[s.Key] = true
			}
			return len(known)
		}
		callFor(t, rt, 30*time.Second, 5, byCaller)
		assert.Equal(t, 1, keys())
		one = false
		callFor(t, rt, 60*time.Second, 5, byCaller)
		assert.Equal(t, 5, keys())
		*served = 0
		callFor(t, rt, 30*time.Second, 5, byCaller)
		t.Log(*served)
		assert.GreaterOrEqual(t, *served, 5*10*30*9/10)
	})
}
