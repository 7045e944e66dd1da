package clienttest_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
)

// get sends a request with a key, and returns the response with its body read.
func get(t *testing.T, hc *http.Client, url, key string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", key)
	resp, err := hc.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// Each kind of limit admits what it should in a burst, and again after a wait.
func TestLimits(t *testing.T) {
	hour := func() { time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour + 50*time.Second))) }
	for name, test := range map[string]struct {
		limit       clienttest.Limit
		wait        time.Duration
		first, then int
	}{
		"fixed":      {clienttest.Fixed(5, time.Minute), 15 * time.Second, 5, 5},
		"from first": {clienttest.FromFirst(5, time.Minute), 15 * time.Second, 5, 0},
		"rolling":    {clienttest.Rolling(5, time.Minute), time.Minute, 5, 5},
		"counter":    {clienttest.SlidingCounter(6, time.Minute), 40 * time.Second, 6, 3},
		"bucket":     {clienttest.Bucket(5, 60, time.Minute), 2 * time.Second, 5, 2},
		"by all":     {clienttest.Rolling(5, time.Minute).By(func(*http.Request) string { return "" }), time.Second, 5, 0},
		"elsewhere":  {clienttest.Rolling(1, time.Minute).On("GET /other"), time.Second, 10, 10},
		"units":      {clienttest.Rolling(9, time.Minute).Costing(func(*http.Request) int { return 3 }), time.Minute, 3, 3},
		"too dear":   {clienttest.Rolling(9, time.Minute).Costing(func(*http.Request) int { return 10 }), time.Minute, 0, 0},
		"for free":   {clienttest.Rolling(1, time.Minute).Costing(func(*http.Request) int { return 0 }), time.Minute, 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := clienttest.NewInMemory(test.limit, clienttest.Latency(0, 0))
				defer api.Close()
				hour()
				for i, want := range []int{test.first, test.then} {
					before := api.Counts()
					for range 10 {
						_, _, err := get(t, api.Client(), api.URL, "a")
						require.NoError(t, err)
					}
					now := api.Counts()
					assert.Equal(t, want, now.Admitted-before.Admitted, "burst %d", i)
					assert.Equal(t, 10-want, now.Refused-before.Refused, "burst %d", i)
					time.Sleep(test.wait)
				}
			})
		})
	}
}

// Keys have limits of their own, and several limits count in all or in none.
func TestKeysAndSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Rolling(2, time.Second), clienttest.Rolling(3, time.Hour), clienttest.Latency(0, 0))
		defer api.Close()
		admitted := func(key string) (n int) {
			for range 4 {
				resp, _, err := get(t, api.Client(), api.URL, key)
				require.NoError(t, err)
				if resp.StatusCode == http.StatusOK {
					n++
				}
			}
			return n
		}
		assert.Equal(t, 2, admitted("a"))
		assert.Equal(t, 2, admitted("b"))
		time.Sleep(time.Second)
		assert.Equal(t, 1, admitted("a")) // the hour is used up
		all := api.Requests()
		assert.Len(t, all, 12)
		assert.Contains(t, all[11].Limit, "3 in 1h0m0s")
		assert.Equal(t, all[0].Time.Add(time.Hour), all[11].Until)
	})
}

// A limit on concurrency counts what is being served, also where that ends badly.
func TestConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(time.Second)
			panic(http.ErrAbortHandler)
		})
		api := clienttest.NewInMemory(clienttest.Concurrent(3), clienttest.Handler(slow))
		defer api.Close()
		for range 2 {
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() { _, _, _ = get(t, api.Client(), api.URL, "a") })
			}
			all.Wait()
		}
		assert.Equal(t, clienttest.Counts{Requests: 10, Admitted: 6, Refused: 4}, api.Counts())
	})
}

// The dialects show what they should, several limits at once together.
func TestDialects(t *testing.T) {
	custom := clienttest.Announce(func(h http.Header, now time.Time, w []clienttest.Window) {
		h.Set("Left", fmt.Sprint(w[0].Name, w[0].Remaining, w[0].Limit, w[0].Reset.Sub(now), w[0].Length, len(w)))
	})
	for name, test := range map[string]struct {
		option clienttest.Option
		field  string
		want   string
	}{
		"epoch":    {clienttest.XRateLimit(), "X-RateLimit-Reset", "946688580"}, // skewed
		"delta":    {clienttest.XRateLimitDelta(), "X-RateLimit-Reset", "60"},
		"suffixed": {clienttest.Suffixed(), "X-RateLimit-Remaining-Hour", "99"},
		"draft 3":  {clienttest.Draft3(), "RateLimit-Remaining", "9"},
		"draft 7":  {clienttest.Draft7(), "RateLimit", "limit=10, remaining=9, reset=60"},
		"draft 8":  {clienttest.Draft8(), "RateLimit", `"minute";r=9;t=60, "hour";r=99;t=3600`},
		"own":      {custom, "Left", "minute9 10 1m0s 1m0s 2"},
		"silence":  {clienttest.Refusal{}, "RateLimit", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := clienttest.NewInMemory(clienttest.Fixed(10, time.Minute), clienttest.Fixed(100, time.Hour),
					clienttest.Faults{Skew: time.Hour + 2*time.Minute}, test.option, clienttest.Latency(0, 0))
				defer api.Close()
				resp, _, err := get(t, api.Client(), api.URL, "a")
				require.NoError(t, err)
				assert.Equal(t, test.want, resp.Header.Get(test.field))
			})
		})
	}
}

// Refusals look as told, with what the dialect says.
func TestRefusals(t *testing.T) {
	write := func(w http.ResponseWriter, r *http.Request, wait time.Duration) {
		w.Header().Del("Retry-After")
		http.Error(w, fmt.Sprint(r.URL.Path, wait), http.StatusServiceUnavailable)
	}
	for name, test := range map[string]struct {
		refusal             clienttest.Refusal
		status              int
		retryAfter, content string
	}{
		"plain":   {clienttest.Refusal{}, 429, "60", `{"error":"Rate limit exceeded","message":"Too many requests."}` + "\n"},
		"403":     {clienttest.Refusal{Status: 403, Body: "slow down", ContentType: "text/plain"}, 403, "60", "slow down"},
		"date":    {clienttest.Refusal{HTTPDate: true}, 429, "Sat, 01 Jan 2000 00:01:00 GMT", `{"error":"Rate limit exceeded","message":"Too many requests."}` + "\n"},
		"silence": {clienttest.Refusal{NoRetryAfter: true, Body: "{}"}, 429, "", "{}"},
		"own":     {clienttest.Refusal{Write: write}, 503, "", "/path1m0s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := clienttest.NewInMemory(clienttest.Fixed(1, time.Minute), test.refusal, clienttest.XRateLimit(), clienttest.Latency(0, 0))
				defer api.Close()
				_, _, err := get(t, api.Client(), api.URL, "a")
				require.NoError(t, err)
				resp, body, err := get(t, api.Client(), api.URL+"/path", "a")
				require.NoError(t, err)
				assert.Equal(t, test.status, resp.StatusCode)
				assert.Equal(t, test.retryAfter, resp.Header.Get("Retry-After"))
				assert.Equal(t, test.content, body)
				assert.Equal(t, "0", resp.Header.Get("X-RateLimit-Remaining"))
			})
		})
	}
}

// A client sends every request to the server, whatever the host, and the request
// stays as it was.
func TestAnyHost(t *testing.T) {
	host := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host+r.URL.Path) })
	api := clienttest.NewServer(clienttest.Handler(host), clienttest.Latency(time.Millisecond, 2*time.Millisecond))
	defer api.Close()
	resp, body, err := get(t, api.Client(), "https://api.example.com/v1", "a")
	require.NoError(t, err)
	assert.Equal(t, "api.example.com/v1", body)
	assert.Equal(t, "https://api.example.com/v1", resp.Request.URL.String())
	resp, err = api.Client().Transport.RoundTrip(&http.Request{Method: http.MethodGet, URL: resp.Request.URL, Header: http.Header{}})
	require.NoError(t, err)
	defer resp.Body.Close()
	bare, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "api.example.com/v1", string(bare))
	_, err = api.Client().Transport.RoundTrip(&http.Request{Method: http.MethodGet})
	assert.Error(t, err)
	assert.Equal(t, "a", api.Requests()[0].Header.Get("X-Api-Key"))
}

// What Next answers is not counted, and then all is as before.
func TestNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Fixed(1, time.Hour))
		defer api.Close()
		api.Next(2, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		hc, err := client.Wrap(api.Client())
		require.NoError(t, err)
		resp, _, err := get(t, hc, api.URL, "a")
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, clienttest.Counts{Requests: 3, Admitted: 1, Failed: 2}, api.Counts())
	})
}
