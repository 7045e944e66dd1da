package client_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// few tells of a window of which so many are left for fifty minutes.
func few(limit, left int) http.RoundTripper {
	reset := time.Now().Add(50 * time.Minute)
	return carrier(func(req *http.Request) (*http.Response, error) {
		time.Sleep(100 * time.Millisecond)
		left--
		h := http.Header{}
		h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(max(left, 0)))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		status := http.StatusOK
		if left < 0 {
			status = http.StatusTooManyRequests
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
	})
}

type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(req *http.Request) (*http.Response, error) { return c(req) }

// fetch sends so many requests and returns how long each took.
func fetch(t testing.TB, hc *http.Client, n int) []time.Duration {
	var took []time.Duration
	for range n {
		began := time.Now()
		resp, err := hc.Get("https://api.test/")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		took = append(took, time.Since(began))
	}
	return took
}

func sum(times []time.Duration) (all time.Duration) {
	for _, d := range times {
		all += d
	}
	return all
}

// A short job with enough left is not paced at all, and none waits for long.
func TestAShortJobIsNotPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hc, err := client.Wrap(&http.Client{Transport: few(5000, 500), Timeout: 30 * time.Second})
		require.NoError(t, err)
		assert.Equal(t, 6*time.Second, sum(fetch(t, hc, 60)), "as fast as without forbear")
		for _, took := range fetch(t, hc, 260) {
			assert.LessOrEqual(t, took, time.Second+100*time.Millisecond)
		}
	})
}

// Pacing gives way to those who cannot wait, while there is something left.
func TestPacingFailsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := few(60, 6)
		hc, err := client.Wrap(&http.Client{Transport: base, Timeout: 30 * time.Second}, client.WithPacing(client.Even))
		require.NoError(t, err)
		fetch(t, hc, 5)

		rt, err := client.NewTransport(few(60, 7), client.WithPacing(client.Even))
		require.NoError(t, err)
		for range 5 {
			req, err := http.NewRequestWithContext(client.NoWait(t.Context()), http.MethodGet, "https://api.test/", nil)
			require.NoError(t, err)
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
	})
}

// A request that cannot wait does not have to wait behind one that is paced.
func TestPacingLetsTheImpatientPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt, err := client.NewTransport(few(60, 7), client.WithPacing(client.Even))
		require.NoError(t, err)
		fetch(t, &http.Client{Transport: rt}, 2)
		patient := make(chan time.Duration)
		go func() {
			began := time.Now()
			resp, err := rt.RoundTrip(get(context.Background(), "/"))
			if assert.NoError(t, err) {
				assert.NoError(t, resp.Body.Close())
			}
			patient <- time.Since(began)
		}()
		synctest.Wait()
		require.Equal(t, 1, rt.Queue().Stats().Waiting)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, ctx := range []context.Context{client.NoWait(t.Context()), soon} {
			began := time.Now()
			resp, err := rt.RoundTrip(get(ctx, "/"))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, 100*time.Millisecond, time.Since(began))
		}
		assert.Greater(t, <-patient, time.Minute)
		rt.Close()
	})
}

// Who asks for it is paced for as long as it takes.
func TestPacingThatIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hc, err := client.Wrap(&http.Client{Transport: few(60, 31)}, client.WithPacing(client.Even))
		require.NoError(t, err)
		assert.Greater(t, sum(fetch(t, hc, 4)), 4*time.Minute)
	})
}

// Below the client the token was renewed: a request that could not wait for the reset
// finds that out.
func TestAnEmptyQuotaIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, answers := time.Now(), 0
		hc, err := client.Wrap(&http.Client{Timeout: 30 * time.Second, Transport: carrier(func(req *http.Request) (*http.Response, error) {
			left := "0"
			switch answers++; {
			case answers == 1:
				left = "1"
			case time.Since(began) > time.Minute:
				left = "4000"
			}
			h := http.Header{}
			h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
			h.Set("X-RateLimit-Limit", "5000")
			h.Set("X-RateLimit-Remaining", left)
			h.Set("X-RateLimit-Reset", strconv.FormatInt(began.Add(50*time.Minute).Unix(), 10))
			return &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody, Request: req}, nil
		})})
		require.NoError(t, err)
		fetch(t, hc, 2)
		_, err = hc.Get("https://api.test/")
		require.Error(t, err)
		time.Sleep(2 * time.Minute)
		fetch(t, hc, 100)
	})
}
