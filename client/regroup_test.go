package client

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Requests for things that are counted apart do not wait for each other; they do again once the
// responses show that all are counted together, or what was known is forgotten.
func TestThingsWaitTogetherAgain(t *testing.T) {
	const limit, per = 20, 20 * time.Second
	bucket := func(tr *Transport, req *http.Request) string {
		c, a := callOf(req), new(attempt)
		a.prepare(tr, tr.account(req, c.callOptions), &c)
		return a.Bucket
	}
	for name, together := range map[string]func(tr *Transport, send func(n int)){
		"counted together": func(_ *Transport, send func(int)) { send(400) },
		"forgotten": func(tr *Transport, send func(int)) {
			tr.Forget(requestFor(t, 0))
			send(4)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counters := make(map[string]ratemodel.Model)
				group := func(req *http.Request) string { return req.URL.Path }
				tr, err := NewTransport(sender(func(req *http.Request) (*http.Response, error) {
					m := counters[group(req)]
					if m == nil {
						m = ratemodel.NewFixed(limit, per)
						counters[group(req)] = m
					}
					now, status := time.Now(), http.StatusOK
					if !m.Admit(now) {
						status = http.StatusTooManyRequests
					}
					w := m.Windows(nil, now)[0]
					return &http.Response{StatusCode: status, Body: http.NoBody, Request: req, Header: http.Header{
						"X-Ratelimit-Limit":       {strconv.Itoa(limit)},
						"X-Ratelimit-Remaining":   {strconv.Itoa(w.Remaining)},
						"X-Ratelimit-Reset-After": {fmt.Sprintf("%.3f", w.Reset.Sub(now).Seconds())},
					}}, nil
				}))
				require.NoError(t, err)
				defer tr.Close()
				sent := 0
				send := func(n int) {
					for range n {
						_, err := tr.RoundTrip(requestFor(t, sent%4))
						require.NoError(t, err)
						sent++
						time.Sleep(100 * time.Millisecond)
					}
				}
				one, other := requestFor(t, 0), requestFor(t, 1)
				send(200)
				require.NotEqual(t, bucket(tr, one), bucket(tr, other))
				group = func(*http.Request) string { return "" }
				together(tr, send)
				require.Equal(t, bucket(tr, one), bucket(tr, other))
			})
		})
	}
}

type sender func(*http.Request) (*http.Response, error)

func (f sender) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func requestFor(t testing.TB, thing int) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("https://api.test/channels/%d", 1000+thing), nil)
	require.NoError(t, err)
	return req
}
