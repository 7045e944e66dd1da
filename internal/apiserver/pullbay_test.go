package apiserver

import (
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPullbay(t *testing.T) {
	c := newClock()
	p, err := NewPullbay(Free, 1, on(c))
	require.NoError(t, err)
	page := func() *httptest.ResponseRecorder {
		return ask(p, "GET", "/v1/app-store/reviews/all?app_id=x", "k")
	}
	for i := range 10 {
		w := page()
		require.Equal(t, 200, w.Code)
		require.Equal(t, "10", w.Header().Get("X-RateLimit-Limit"))
		require.Equal(t, strconv.Itoa(9-i), w.Header().Get("X-RateLimit-Remaining"))
		require.Equal(t, "1709208060", w.Header().Get("X-RateLimit-Reset"), "when the oldest leaves")
		c.move(time.Second)
	}
	w := page()
	require.Equal(t, 429, w.Code)
	require.Empty(t, w.Header().Get("Retry-After"))
	require.Equal(t, "1709208060", w.Header().Get("X-RateLimit-Reset"))
	require.JSONEq(t, `{"error": {"code": "rate_limit_exceeded", "request_id": "req_000000000001",
		"message": "Rate limit exceeded. You have used 10 requests this minute. Limit: 10. Resets at: 1709208060"}}`,
		w.Body.String())
	require.Equal(t, 10, p.Credits("k"), "the refusal cost none")

	c.move(50 * time.Second) // the first leaves, the second a second later
	require.Equal(t, 200, page().Code)
	require.Equal(t, 429, page().Code)
}

func TestPullbayPlanChangesAtOnce(t *testing.T) {
	c := newClock()
	p, err := NewPullbay(Free, 1, on(c))
	require.NoError(t, err)
	for range 10 {
		require.NotEqual(t, 429, get(p, "k").Code)
	}
	require.Equal(t, 429, get(p, "k").Code)
	require.NoError(t, p.SetPlan("k", Starter))
	require.Equal(t, Starter, p.Plan("k"))
	h := get(p, "k").Header()
	require.Equal(t, "60", h.Get("X-RateLimit-Limit"))
	require.Equal(t, "49", h.Get("X-RateLimit-Remaining"))

	require.NoError(t, p.SetPlan("k", Free))
	require.Equal(t, 429, get(p, "k").Code)
	require.NoError(t, p.SetPlan("not seen yet", Growth))
	require.Equal(t, "300", get(p, "not seen yet").Header().Get("X-RateLimit-Limit"))
	require.Equal(t, "10", get(p, "other").Header().Get("X-RateLimit-Limit"))

	require.ErrorContains(t, p.SetPlan("k", 0), "allows nothing")
	_, err = NewPullbay(0, 1)
	require.ErrorContains(t, err, "allows nothing")
}

func TestPullbayPages(t *testing.T) {
	p, err := NewPullbay(Scale, 1)
	require.NoError(t, err)
	const path = "/v1/app-store/reviews/all?app_id=com.example&limit=250"
	seen := map[int]bool{}
	var last review
	credits, pages := 0, 0
	for cursor := ""; ; pages++ {
		w := ask(p, "GET", path+"&cursor="+cursor, "k")
		require.Equal(t, 200, w.Code)
		var page reviewPage
		decode(t, w, &page)
		for _, r := range page.Data {
			require.False(t, seen[r.ID], "twice: %d", r.ID)
			seen[r.ID] = true
			require.True(t, last.ID == 0 || r.Date.Before(last.Date), "newest first")
			require.Contains(t, []int{1, 2, 3, 4, 5}, r.Rating)
			require.Equal(t, "com.example", r.AppID)
			last = r
		}
		require.Equal(t, 3, page.Meta.CreditsUsed)
		require.Equal(t, reviewCount, page.Meta.Total)
		credits += page.Meta.CreditsUsed
		if cursor = page.Meta.NextCursor; cursor == "" {
			break
		}
	}
	require.Len(t, seen, reviewCount)
	require.Equal(t, 11, pages)
	require.Equal(t, credits, p.Credits("k"))

	var first reviewPage
	decode(t, ask(p, "GET", "/v1/app-store/reviews/all?app_id=x&sort=date_asc", "other"), &first)
	require.Len(t, first.Data, 100)
	require.Equal(t, 1, first.Data[0].ID)
	require.Equal(t, 1, p.Credits("other"))

	for _, wrong := range []string{"", "?app_id=x&limit=0", "?app_id=x&limit=501", "?app_id=x&limit=many",
		"?app_id=x&cursor=-1", "?app_id=x&cursor=3001", "?app_id=x&sort=stars"} {
		require.Equal(t, 400, ask(p, "GET", "/v1/app-store/reviews/all"+wrong, "k").Code, wrong)
	}
	require.Equal(t, 404, ask(p, "GET", "/v1/nothing", "k").Code)
	require.Equal(t, 200, ask(p, "HEAD", "/v1/app-store/reviews/all?app_id=x", "k").Code)
}
