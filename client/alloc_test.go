package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

// constant answers with one response, which costs nothing.
type constant struct{ resp *http.Response }

func (c constant) RoundTrip(*http.Request) (*http.Response, error) { return c.resp, nil }

func TestACallAllocatesNothing(t *testing.T) {
	if chance.Raced {
		t.Skip("the race detector allocates")
	}
	header := http.Header{
		"Content-Type": {"application/json"}, "Date": {"Sat, 28 Feb 2026 12:00:00 GMT"},
		"X-Ratelimit-Limit": {"1000000000"}, "X-Ratelimit-Remaining": {"900000000"}, "X-Ratelimit-Reset": {"1772280000"},
	}
	const path = "/v1/items?page=2"
	asked := func(ctx context.Context, path string, fields ...string) *http.Request {
		r := get(ctx, path)
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		return r
	}
	for name, r := range map[string]*http.Request{
		"plain":       asked(t.Context(), path),
		"long token":  asked(t.Context(), path, "Accept", "*/*", "Authorization", "Bearer "+strings.Repeat("eyJhbGciOiJ", 200)),
		"two of them": asked(t.Context(), path+"&access_token=abc", "X-Api-Key", "def"),
		"told":        asked(client.WithKey(t.Context(), strings.Repeat("key", 200)), path),
	} {
		tr, err := client.NewTransport(constant{&http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody}})
		require.NoError(t, err)
		defer tr.Close()
		once := func() {
			if _, err := tr.RoundTrip(r); err != nil {
				t.Error(err)
			}
		}
		for range 100 {
			once()
		}
		assert.Zero(t, testing.AllocsPerRun(1000, once), name)
	}
}

// An observer gets a copy of what is known of the limits with each response, and nothing else
// that has to be allocated.
func TestAnObservedCallAllocatesOnce(t *testing.T) {
	if chance.Raced {
		t.Skip("the race detector allocates")
	}
	header := http.Header{"X-Ratelimit-Limit": {"1000000"}, "X-Ratelimit-Remaining": {"900000"}, "X-Ratelimit-Reset": {"3600"}}
	events := 0
	tr, err := client.NewTransport(constant{&http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody}},
		client.WithObserver(func(client.Event) { events++ }))
	require.NoError(t, err)
	defer tr.Close()
	r := get(t.Context(), "/v1/items?page=2")
	once := func() {
		if _, err := tr.RoundTrip(r); err != nil {
			t.Error(err)
		}
	}
	for range 100 {
		once()
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(1000, once), 1.0)
	assert.Greater(t, events, 2000)
}
