package client_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A resource whose quota was spent before the program began is served nothing that could show which requests it
// counts. Its refusals show it, and the others go on.
func TestASpentResourceHoldsNoOther(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusForbidden} {
		for _, callers := range []int{3, 12} {
			t.Run(fmt.Sprint(status, callers), func(t *testing.T) {
				t.Parallel()
				job := func(ours bool) (served map[string]int, refused int) {
					chance.Bubble(t, func(t testing.TB) {
						api := newQuotasAPI(status)
						rt := transportOf(t, api, ours)
						ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
						defer cancel()
						ask(ctx, t, rt, callers, func(caller, _ int) string {
							return "https://api.test/" + []string{"core", "search", "graphql"}[caller%3]
						})
						served, refused = api.served, api.refused
					})
					return served, refused
				}
				plain, most := job(false)
				ours, refused := job(true)
				t.Logf("%v served and %d refused, and of a client that only retries %v and %d", ours, refused, plain, most)
				for _, resource := range []string{"search", "graphql"} {
					assert.GreaterOrEqual(t, float64(ours[resource]), .97*float64(plain[resource]), resource)
				}
				assert.LessOrEqual(t, refused, 40)
			})
		}
	}
}

// A quotasAPI is an API in GitHub's manner: three quotas, of which one is spent.
type quotasAPI struct {
	status int // of a refusal

	mu      sync.Mutex
	quotas  map[string]ratemodel.Model
	served  map[string]int
	refused int
}

func newQuotasAPI(status int) *quotasAPI {
	r := &quotasAPI{status: status, served: map[string]int{}, quotas: map[string]ratemodel.Model{
		"core": ratemodel.NewFixed(60, time.Hour), "search": ratemodel.NewFixed(30, time.Minute), "graphql": ratemodel.NewFixed(5000, time.Hour),
	}}
	for r.quotas["core"].Admit(time.Now()) {
	}
	return r
}

func (r *quotasAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(80 * time.Millisecond)
	resource := req.URL.Path[1:]
	r.mu.Lock()
	status := r.status
	if r.quotas[resource].Admit(time.Now()) {
		r.served[resource]++
		status = http.StatusOK
	} else {
		r.refused++
	}
	window := r.quotas[resource].Windows(nil, time.Now())[0]
	r.mu.Unlock()
	h := http.Header{"X-Ratelimit-Resource": {resource}, "Date": {time.Now().UTC().Format(http.TimeFormat)}}
	say(h, window.Limit, window.Remaining, -1)
	h.Set("X-RateLimit-Reset", strconv.FormatInt(window.Reset.Unix(), 10))
	time.Sleep(80 * time.Millisecond)
	return &http.Response{StatusCode: status, Header: h, Body: http.NoBody, Request: req}, nil
}
