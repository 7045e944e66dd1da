package apiserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBCB(t *testing.T) {
	c := newClock()
	c.move(1234567 * time.Millisecond) // the window starts here, 12:20:34.567
	s, err := NewBCB(1, on(c))
	require.NoError(t, err)
	for range 300 {
		w := get(s, "a")
		require.Equal(t, 200, w.Code)
		require.Len(t, limits(w.Header()), 1, "nothing but Date")
	}
	c.move(time.Minute)
	w := get(s, "a")
	require.Equal(t, 429, w.Code)
	require.Len(t, limits(w.Header()), 1, "nothing but Date")
	require.JSONEq(t, `{"error": "Rate limit exceeded",
		"message": "You have exceeded the 300 requests per 60 minutes limit. Please wait for the rate limit to reset.",
		"retry_after": "2024-02-29T13:20:35Z"}`, w.Body.String())
	require.Equal(t, 200, get(s, "b").Code)
	c.move(59*time.Minute - 1)
	require.Equal(t, 429, get(s, "a").Code)
	c.move(1)
	require.Equal(t, 200, get(s, "a").Code)
}

func TestBCBCountsByAddressWithoutACredential(t *testing.T) {
	s, err := NewBCB(1, on(newClock()))
	require.NoError(t, err)
	from := func(addr string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		return s.KeyOf(r)
	}
	require.Equal(t, "192.0.2.7", from("192.0.2.7:1000"))
	require.Equal(t, "192.0.2.7", from("192.0.2.7:2000"))
	require.Equal(t, "odd", from("odd"))
}

func TestBCBPacesCreationsOfAllUsers(t *testing.T) {
	c := newClock()
	s, err := NewBCB(1, on(c))
	require.NoError(t, err)
	create := func(key string) *httptest.ResponseRecorder { return ask(s, "POST", "/v1/virtual-accounts", key) }
	w := create("a")
	require.Equal(t, http.StatusCreated, w.Code)
	require.JSONEq(t, `{"id":"va-000001"}`, w.Body.String())
	c.move(900 * time.Millisecond)
	w = create("b")
	require.Equal(t, 429, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "retry_after")
	require.Equal(t, 200, ask(s, "GET", "/v1/virtual-accounts", "b").Code, "to look is not to create")
	c.move(1100*time.Millisecond - 1)
	require.Equal(t, 429, create("b").Code)
	c.move(1)
	require.Equal(t, http.StatusCreated, create("b").Code)

	// b has spent two of its 300, a one; refused creations cost nothing.
	for key, left := range map[string]int{"a": 299, "b": 298} {
		for i := range left {
			require.Equal(t, 200, get(s, key).Code, fmt.Sprint(key, i))
		}
		require.Equal(t, 429, get(s, key).Code)
	}
	c.move(time.Minute)
	require.Contains(t, create("a").Body.String(), "retry_after", "the hour closes later than the pace")
}
