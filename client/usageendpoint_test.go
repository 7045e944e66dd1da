package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
)

// A usageAPI answers at /rate_limit as GitHub does, and passes other requests on.
type usageAPI struct {
	rest  http.RoundTripper
	usage func(*http.Request) (*http.Response, error)

	mu    sync.Mutex
	asked []*http.Request
}

func (u *usageAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/rate_limit" {
		return u.rest.RoundTrip(r)
	}
	u.mu.Lock()
	u.asked = append(u.asked, r)
	u.mu.Unlock()
	return u.usage(r)
}

// usageSays returns a usage endpoint with a body.
func usageSays(body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func resources(remaining int, reset time.Time) string {
	return fmt.Sprintf(`{"resources": {"core": {"limit": 5000, "used": %d, "remaining": %d, "reset": %d},
		"search": {"limit": 30, "remaining": 1, "reset": %[3]d}}, "rate": {"limit": 60, "remaining": 0, "reset": %[3]d}}`,
		5000-remaining, remaining, reset.Unix())
}

// The usage endpoint is read once for each key, with its credentials, before its first
// request; then the requests go together.
func TestUsageEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Fixed(5000, time.Hour), clienttest.XRateLimit(), clienttest.Latency(50*time.Millisecond, 50*time.Millisecond))
		defer api.Close()
		u := &usageAPI{rest: api.Client().Transport, usage: usageSays(resources(4000, time.Now().Add(30*time.Minute)))}
		rt, err := client.NewTransport(u, client.WithUsageEndpoint("https://api.test/rate_limit?v=1"))
		require.NoError(t, err)
		defer rt.Close()
		for _, token := range []string{"one", "two"} {
			began := time.Now()
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					req := get(t.Context(), "/repos?access_token="+token+"&page=2")
					req.Header.Set("Authorization", "Bearer "+token)
					req.Header.Set("If-None-Match", "x")
					resp, err := rt.RoundTrip(req)
					if err != nil {
						t.Error(err)
						return
					}
					_ = resp.Body.Close()
				})
			}
			wg.Wait()
			require.Equal(t, 100*time.Millisecond, time.Since(began), "all at once")
		}
		require.Len(t, u.asked, 2)
		require.Equal(t, "Bearer one", u.asked[0].Header.Get("Authorization"))
		require.Equal(t, "access_token=one&v=1", u.asked[0].URL.RawQuery)
		require.Empty(t, u.asked[0].Header.Get("If-None-Match"))
		other, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://other.test/", nil)
		require.NoError(t, err)
		resp, err := rt.RoundTrip(other)
		require.NoError(t, err)
		_ = resp.Body.Close()
		require.Len(t, u.asked, 2, "another host is not asked about")
	})
}

// What a usage endpoint says is a belief: whatever it answers, requests are served.
func TestUnusableUsageEndpoints(t *testing.T) {
	soon := func() time.Time { return time.Now().Add(10 * time.Minute) }
	for name, usage := range map[string]func(*http.Request) (*http.Response, error){
		"none": func(*http.Request) (*http.Response, error) { return nil, errors.New("no such host") },
		"late": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"forbidden": func(r *http.Request) (*http.Response, error) {
			resp, err := usageSays(resources(0, soon()))(r)
			resp.StatusCode = 403
			return resp, err
		},
		"panics":        func(*http.Request) (*http.Response, error) { panic("at the base") },
		"nothing left":  func(r *http.Request) (*http.Response, error) { return usageSays(resources(0, soon()))(r) },
		"of the past":   usageSays(`{"resources": {"core": {"limit": 5000, "remaining": 0, "reset": 12}}}`),
		"no JSON":       usageSays(`<html>`),
		"no limit":      usageSays(`{"rate": 5, "resources": [1, 2]}`),
		"impossible":    usageSays(`{"limit": -1, "remaining": 1e300, "reset": "9999999999999999999999"}`),
		"deeply nested": usageSays(strings.Repeat(`{"data":`, 1000) + "1" + strings.Repeat("}", 1000)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := clienttest.NewInMemory(clienttest.Fixed(5000, time.Hour), clienttest.XRateLimit())
				defer api.Close()
				rt, err := client.NewTransport(&usageAPI{rest: api.Client().Transport, usage: usage},
					client.WithUsageEndpoint("https://api.test/rate_limit"))
				require.NoError(t, err)
				defer rt.Close()
				began := time.Now()
				resp, err := rt.RoundTrip(get(client.NoWait(t.Context()), "/items"))
				require.NoError(t, err, "one that may not wait does not")
				_ = resp.Body.Close()
				require.Less(t, time.Since(began), time.Second)
				for range 5 {
					resp, err := rt.RoundTrip(get(t.Context(), "/items"))
					require.NoError(t, err)
					_ = resp.Body.Close()
				}
				require.Less(t, time.Since(began), 5*time.Second)
			})
		})
	}
}

// A caller that gives up does not wait for the usage endpoint, nor does a closed client.
func TestUsageEndpointAndCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &usageAPI{usage: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}
		rt, err := client.NewTransport(u, client.WithUsageEndpoint("https://api.test/rate_limit"))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		resp, err := rt.RoundTrip(get(ctx, "/items"))
		require.Nil(t, resp)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		time.AfterFunc(time.Second, rt.Close)
		_, err = rt.RoundTrip(get(t.Context(), "/items"))
		require.ErrorIs(t, err, client.ErrClosed)
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}

func TestUsageEndpointOption(t *testing.T) {
	for _, bad := range []string{"", "/rate_limit", "ftp://host/x", "https://user:secret@/x?token=secret", "://"} {
		_, err := client.New(client.WithUsageEndpoint(bad))
		require.ErrorContains(t, err, "client: WithUsageEndpoint", bad)
		require.NotContains(t, err.Error(), "secret")
	}
}

func ExampleWithUsageEndpoint() {
	hc, err := client.New(client.WithUsageEndpoint("https://api.github.com/rate_limit"))
	fmt.Println(hc != nil, err)
	// Output: true <nil>
}

// FuzzUsageEndpoints checks that no body of a usage endpoint, and no number in it, makes
// a request fail or wait for long.
func FuzzUsageEndpoints(f *testing.F) {
	f.Add(resources(0, time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC)))
	f.Add(`{"data": {"limit": 5, "remaining": 3, "reset_at": "2000-01-01T00:00:30Z"}}`)
	f.Add(`{"minute": {"limit": 60, "remaining": 0, "reset": 30}, "day": {"limit": 1000, "remaining": "2", "reset": 3600}}`)
	f.Fuzz(func(t *testing.T, body string) {
		synctest.Test(t, func(t *testing.T) {
			api := clienttest.NewInMemory()
			defer api.Close()
			rt, err := client.NewTransport(&usageAPI{rest: api.Client().Transport, usage: usageSays(body)},
				client.WithUsageEndpoint("https://api.test/rate_limit"))
			require.NoError(t, err)
			defer rt.Close()
			began := time.Now()
			for range 3 {
				resp, err := rt.RoundTrip(get(t.Context(), "/items"))
				require.NoError(t, err)
				_ = resp.Body.Close()
			}
			require.Less(t, time.Since(began), 2*time.Minute)
		})
	})
}
