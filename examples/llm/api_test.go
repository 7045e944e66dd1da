package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/cost"
)

func ask(t *testing.T, a *api, characters, most int, stream bool) *http.Response {
	t.Helper()
	body := fmt.Sprintf(`{"model":"m","messages":[{"content":%q}],"max_tokens":%d,"stream":%t}`, strings.Repeat("x", characters), most, stream)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.openai.com/v1/chat/completions", strings.NewReader(body)))
	return w.Result()
}

// What was reserved for a response comes back when it is complete.
func TestReservation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(60, 1000, time.Minute, 10*time.Millisecond)
		for _, stream := range []bool{false, true} {
			done := make(chan *http.Response)
			go func() { done <- ask(t, a, 400, 600, stream) }()
			time.Sleep(time.Millisecond)
			refused := ask(t, a, 400, 600, stream)
			require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
			assert.NotEmpty(t, refused.Header.Get("Retry-After"))
			assert.Equal(t, "300", refused.Header.Get("X-Ratelimit-Remaining-Tokens"), "700 are reserved")

			served := <-done
			require.Equal(t, http.StatusOK, served.StatusCode)
			m := cost.Named("openai").Meter(served, "m")
			_, err := io.Copy(m, served.Body)
			require.NoError(t, err)
			used, ok := m.Used().Of("tokens", "tokens")
			require.True(t, ok)
			assert.Less(t, used, 700.0)
			assert.Greater(t, used, 100.0)
			time.Sleep(time.Minute) // it is full again
		}
		assert.Equal(t, 2, a.counted().served)
		assert.Equal(t, 2, a.counted().refused)
	})
}

func TestRequestsAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(2, 1e6, time.Minute, time.Nanosecond)
		for range 2 {
			require.Equal(t, http.StatusOK, ask(t, a, 4, 1, false).StatusCode)
		}
		refused := ask(t, a, 4, 1, false)
		require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
		text, err := io.ReadAll(refused.Body)
		require.NoError(t, err)
		assert.Contains(t, string(text), "requests per min")
		time.Sleep(30 * time.Second)
		require.Equal(t, http.StatusOK, ask(t, a, 4, 1, false).StatusCode)
	})
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	a := newAPI(2, 100, time.Minute, 0)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{")))
	assert.Equal(t, http.StatusBadRequest, w.Code)
}

func TestRun(t *testing.T) {
	t.Parallel() // it takes half a second, and hardly any work
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, 300*time.Millisecond, 500*time.Millisecond))
	assert.Regexp(t, `^[1-9]\d* served, \d+ refused, \d+\.\d % of the tokens used\n$`, out.String())
}
