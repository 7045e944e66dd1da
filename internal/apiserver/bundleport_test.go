package apiserver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBundleport(t *testing.T) {
	c := newClock()
	s, err := NewBundleport(BundleportLimits{}, 1, on(c))
	require.NoError(t, err)
	w := get(s, "a")
	require.Equal(t, map[string]string{
		"Date":                     "Thu, 29 Feb 2024 12:00:00 GMT",
		"X-Ratelimit-Limit-Minute": "600", "X-Ratelimit-Remaining-Minute": "599", "X-Ratelimit-Reset-Minute": "1709208060",
		"X-Ratelimit-Limit-Hour": "15000", "X-Ratelimit-Remaining-Hour": "14999", "X-Ratelimit-Reset-Hour": "1709211600",
		"X-Ratelimit-Limit-Day": "250000", "X-Ratelimit-Remaining-Day": "249999", "X-Ratelimit-Reset-Day": "1709251200",
	}, limits(w.Header()))
	for range 599 {
		get(s, "a")
	}
	c.move(500 * time.Millisecond)
	w = get(s, "a")
	require.Equal(t, 429, w.Code)
	require.Equal(t, "60", w.Header().Get("Retry-After"))
	require.Equal(t, "14400", w.Header().Get("X-RateLimit-Remaining-Hour"), "the refusal costs the hour nothing")
	require.JSONEq(t, `{"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Rate limit exceeded. Retry after 60 seconds."}}`,
		w.Body.String())
	require.Equal(t, 200, get(s, "b").Code)
}

// A client may take the name of a window at its word, so a fast minute is called another.
func TestFastBundleport(t *testing.T) {
	c := newClock()
	s, err := NewBundleport(BundleportLimits{}, 600, on(c))
	require.NoError(t, err)
	c.move(25 * time.Millisecond)
	require.Equal(t, map[string]string{
		"Date":                         "Thu, 29 Feb 2024 12:00:00 GMT",
		"X-Ratelimit-Limit-Fastminute": "600", "X-Ratelimit-Remaining-Fastminute": "599", "X-Ratelimit-Reset-Fastminute": "0.075",
		"X-Ratelimit-Limit-Fasthour": "15000", "X-Ratelimit-Remaining-Fasthour": "14999", "X-Ratelimit-Reset-Fasthour": "5.975",
		"X-Ratelimit-Limit-Fastday": "250000", "X-Ratelimit-Remaining-Fastday": "249999", "X-Ratelimit-Reset-Fastday": "143.975",
	}, limits(get(s, "a").Header()))
}

func TestBundleportOfOtherLimits(t *testing.T) {
	c := newClock()
	s, err := NewBundleport(BundleportLimits{Minute: 3, Hour: 4}, 1, on(c), KongGeneric)
	require.NoError(t, err)
	generic := func() string {
		h := get(s, "a").Header()
		return h.Get("X-RateLimit-Limit") + " " + h.Get("X-RateLimit-Remaining") + " " + h.Get("X-RateLimit-Reset")
	}
	require.Equal(t, "3 2 1709208060", generic())
	c.move(time.Minute)
	require.Equal(t, "4 2 1709211600", generic(), "as few in the hour as in the minute: the longer one")
	c.move(time.Minute)
	require.Equal(t, "4 1 1709211600", generic())
	require.Equal(t, "4 0 1709211600", generic())
	w := get(s, "a")
	require.Equal(t, "3480", w.Header().Get("Retry-After"), "the hour, not the minute")

	_, err = NewBundleport(BundleportLimits{Day: -1}, 1)
	require.ErrorContains(t, err, "negative")
}
