package apiserver

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBindbee(t *testing.T) {
	c := newClock()
	c.move(17300 * time.Millisecond)
	s, err := NewBindbee(1, on(c))
	require.NoError(t, err)
	connector := func(token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/api/hris/v1/employees", nil)
		r.Header.Set("Authorization", "Bearer one for all")
		r.Header.Set("X-Connector-Token", token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	w := connector("a")
	require.Equal(t, 200, w.Code)
	require.Equal(t, map[string]string{
		"Date": "Thu, 29 Feb 2024 12:00:17 GMT", "X-Ratelimit-Limit": "200",
		"X-Ratelimit-Remaining": "199", "X-Ratelimit-Reset": "1709208060",
	}, limits(w.Header()))
	for range 199 {
		require.Equal(t, 200, connector("a").Code)
	}
	w = connector("a")
	require.Equal(t, 429, w.Code)
	require.Equal(t, map[string]string{
		"Date": "Thu, 29 Feb 2024 12:00:17 GMT", "X-Ratelimit-Limit": "200",
		"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1709208060", "Retry-After": "43",
	}, limits(w.Header()))
	require.JSONEq(t, `{"error": "Rate limit exceeded",
		"message": "You have exceeded the rate limit of 200 requests per minute"}`, w.Body.String())
	require.Equal(t, 200, connector("b").Code, "the limit is each connector's")
	c.move(42700 * time.Millisecond)
	require.Equal(t, 200, connector("a").Code)
}

func TestBindbeeSpedUp(t *testing.T) {
	c := newClock()
	c.move(300 * time.Millisecond)
	s, err := NewBindbee(60, on(c))
	require.NoError(t, err)
	require.Equal(t, "1709208001.000", get(s, "k").Header().Get("X-RateLimit-Reset"))
	for range 199 {
		get(s, "k")
	}
	require.Equal(t, 429, get(s, "k").Code)
	c.move(700 * time.Millisecond)
	require.Equal(t, 200, get(s, "k").Code)
}
