package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// answers is a transport that answers by path.
type answers func(path string) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r.URL.Path) }

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

func right(path string) *http.Response {
	return answer(http.StatusOK, `{"id":`+strings.TrimPrefix(path, "/items/")+`}`)
}

func TestFetchGetsEveryItemOnce(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	f := fetcher{url: "http://api.test", client: &http.Client{Transport: answers(func(path string) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		got[path]++
		return right(path), nil
	})}}
	require.NoError(t, f.fetch(t.Context(), 5, 3))
	require.Equal(t, map[string]int{"/items/1": 1, "/items/2": 1, "/items/3": 1, "/items/4": 1, "/items/5": 1}, got)
	require.EqualValues(t, 5, f.fetched.Load())
}

func TestFetchFailsWithAnItem(t *testing.T) {
	for name, c := range map[string]struct {
		resp *http.Response
		err  error
		want string
	}{
		"refused":      {answer(http.StatusTooManyRequests, ""), nil, "item 3: Too Many Requests"},
		"not JSON":     {answer(http.StatusOK, "<"), nil, "item 3: invalid character"},
		"another item": {answer(http.StatusOK, `{"id":4}`), nil, "item 3: the API sent item 4"},
		"network":      {nil, errors.New("unplugged"), "unplugged"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fetcher{url: "http://api.test", client: &http.Client{Transport: answers(func(path string) (*http.Response, error) {
				if path == "/items/3" {
					return c.resp, c.err
				}
				return right(path), nil
			})}}
			require.ErrorContains(t, f.fetch(t.Context(), 1000, 1), c.want)
			require.EqualValues(t, 2, f.fetched.Load(), "it goes on after a failure")
		})
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := fetcher{url: "http://api.test", client: &http.Client{Transport: answers(func(path string) (*http.Response, error) {
		cancel()
		return right(path), nil
	})}}
	require.ErrorIs(t, f.fetch(ctx, 1000, 2), context.Canceled)
	require.Less(t, f.fetched.Load(), int64(1000))
}
