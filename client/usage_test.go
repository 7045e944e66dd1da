package client_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle"
)

// Status, Snapshot and events show whose key it is: the host, and the name that the caller
// gave it, but no credential.
func TestNamesOfKeys(t *testing.T) {
	byTenant := client.WithKeyNames(func(r *http.Request) string { return r.Header.Get("X-Tenant") })
	for name, c := range map[string]struct {
		opts []client.Option
		name string
	}{
		"nothing": {nil, ""},
		"option":  {[]client.Option{byTenant}, "tenant 7"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var events []client.Event
				opts := slices.Concat(c.opts, []client.Option{client.WithObserver(func(e client.Event) { events = append(events, e) })})
				rt := transport(t, &recorder{answer: sequence(503, 200)}, opts...)
				req := secretRequest(t.Context())
				req.Header.Set("X-Tenant", "tenant 7")
				_, err := rt.RoundTrip(req)
				require.NoError(t, err)
				for _, e := range events {
					assert.Equal(t, "api.test", e.Host, e.Kind)
					assert.Equal(t, c.name, e.Name, e.Kind)
				}
				status, err := rt.Status(req)
				require.NoError(t, err)
				for _, s := range append(rt.Snapshot(), status) {
					assert.Equal(t, "api.test", s.Host)
					assert.Equal(t, c.name, s.Name)
					text, err := json.Marshal(s)
					require.NoError(t, err)
					assert.NotContains(t, string(text), secret)
				}
				_, err = rt.RoundTrip(req.WithContext(client.WithKeyName(t.Context(), "mine")))
				require.NoError(t, err)
				assert.Equal(t, "mine", events[len(events)-1].Name, "the context decides")
				assert.Len(t, rt.Snapshot(), 1, "a name is no key")
			})
		})
	}
	_, err := client.NewTransport(nil, client.WithKeyNames(nil))
	require.Error(t, err)
}

// Each key counts what became of its requests.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := transport(t, &recorder{answer: sequence(429, 503, 200, 429, 404, 503)}, client.WithMaxWait(time.Minute))
		send := func() (int, error) {
			resp, err := rt.RoundTrip(get(t.Context(), "/"))
			if err != nil {
				return 0, err
			}
			return resp.StatusCode, nil
		}
		status, err := send() // refused, failed, answered
		require.NoError(t, err)
		require.Equal(t, 200, status)
		status, err = send() // refused, answered
		require.NoError(t, err)
		require.Equal(t, 404, status)
		status, err = send() // fails five times
		require.NoError(t, err)
		require.Equal(t, 503, status)
		counts := rt.Snapshot()[0].Counts
		assert.Equal(t, client.Counts{Sent: 10, Retried: 7, Refused: 2, GivenUp: 1}, counts)
	})
	synctest.Test(t, func(t *testing.T) {
		rt := transport(t, &recorder{answer: limited("7200")})
		for range 3 { // one is answered, and two are not sent
			_, _ = rt.RoundTrip(get(t.Context(), "/"))
		}
		assert.Equal(t, client.Counts{Sent: 1, Refused: 1, GivenUp: 3}, rt.Snapshot()[0].Counts)
	})
}

// The base transport sees which attempt it sends, and nobody else sees its context.
func TestAttemptOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []int
		next := sequence(503, 429, 200)
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			seen = append(seen, client.AttemptOf(req.Context()))
			return next(n, req)
		}}
		req := get(t.Context(), "/")
		resp, err := transport(t, base).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, []int{1, 2, 3}, seen)
		assert.Same(t, req, resp.Request)
	})
}

// What is not known is left out of JSON, and what the server said remains is told apart
// from our part of it.
func TestStatusAsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		announced := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			return respond(req, 200, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "40", "X-RateLimit-Reset", "60"), nil
		}}
		var last client.Event
		rt := transport(t, announced, client.WithReserve(throttle.Requests(15)), client.WithObserver(func(e client.Event) {
			if e.Kind == client.EventAnswer {
				last = e
			}
		}))
		_, err := rt.RoundTrip(secretRequest(t.Context()))
		require.NoError(t, err)
		s := rt.Snapshot()[0]
		require.Len(t, s.Windows, 1)
		assert.Equal(t, 40, s.Windows[0].Remaining)
		assert.Equal(t, 25, s.Windows[0].Credit)
		assert.Contains(t, s.String(), "40 of 100 left, 25 of them ours")
		for _, v := range []any{s, last} {
			text, err := json.Marshal(v)
			require.NoError(t, err)
			assert.Contains(t, string(text), `"Remaining":40`)
			assert.Contains(t, string(text), `"Credit":25`)
			assert.NotContains(t, string(text), "-1")
			assert.NotContains(t, string(text), "0001-01-01")
			assert.NotContains(t, string(text), secret)
		}
	})
	for _, v := range []any{
		client.Status{}, client.Event{},
		client.Status{Status: throttle.Status{Windows: []throttle.WindowStatus{{Name: "learned", Limit: -1, Remaining: -1, Rate: 2.5}}}},
		client.Event{Kind: client.EventGiveUp, Err: errOdd},
	} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "-1")
		assert.NotContains(t, string(text), "0001-01-01")
		if e, ok := v.(client.Event); ok && e.Err != nil {
			assert.Contains(t, string(text), `"Err":"odd"`)
		}
		assert.Less(t, strings.Count(string(text), ":"), 10, "%s", text)
	}
}

// A request that is never sent has a name, too.
func TestNameOfARequestTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []client.Event
		rt := transport(t, &recorder{answer: sequence(200)},
			client.WithKeyNames(func(r *http.Request) string { return r.Header.Get("X-Tenant") }),
			client.WithObserver(func(e client.Event) { events = append(events, e) }))
		rt.Close()
		req := secretRequest(t.Context())
		req.Header.Set("X-Tenant", "tenant 7")
		_, err := rt.RoundTrip(req)
		require.ErrorIs(t, err, client.ErrClosed)
		require.Len(t, events, 1)
		require.Equal(t, "tenant 7", events[0].Name)
		_, err = rt.RoundTrip(req.WithContext(client.WithKeyName(t.Context(), "mine")))
		require.ErrorIs(t, err, client.ErrClosed)
		require.Equal(t, "mine", events[1].Name)
	})
}
