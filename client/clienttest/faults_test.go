package clienttest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/clienttest"
)

// Each fault happens over a socket and in memory, and is counted as told.
func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		faults clienttest.Faults
		check  func(t *testing.T, resp *http.Response, body string, err error)
		want   clienttest.Counts
	}{
		"shed": {clienttest.Faults{Shed: 1}, func(t *testing.T, resp *http.Response, _ string, _ error) {
			assert.Equal(t, 503, resp.StatusCode)
			assert.Empty(t, resp.Header.Get("RateLimit"))
		}, clienttest.Counts{Requests: 1, Failed: 1}},
		"shed, counted": {clienttest.Faults{Shed: 1, Status: 500, Counted: true}, func(t *testing.T, resp *http.Response, _ string, _ error) {
			assert.Equal(t, 500, resp.StatusCode)
			assert.NotEmpty(t, resp.Header.Get("RateLimit"))
		}, clienttest.Counts{Requests: 1, Failed: 1, Admitted: 1}},
		"reset": {clienttest.Faults{Reset: 1}, func(t *testing.T, resp *http.Response, _ string, err error) {
			assert.Error(t, err)
			assert.Nil(t, resp)
		}, clienttest.Counts{Requests: 1, Failed: 1}},
		"reset, counted": {clienttest.Faults{Reset: 1, Counted: true}, func(t *testing.T, resp *http.Response, _ string, err error) {
			assert.Error(t, err)
			assert.Nil(t, resp)
		}, clienttest.Counts{Requests: 1, Failed: 1, Admitted: 1}},
		"truncate": {clienttest.Faults{Truncate: 1}, func(t *testing.T, resp *http.Response, body string, err error) {
			require.NotNil(t, resp)
			assert.Equal(t, 200, resp.StatusCode)
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Len(t, body, len(`{"ok":true}`+"\n")/2)
		}, clienttest.Counts{Requests: 1, Failed: 1, Admitted: 1}},
		"stall": {clienttest.Faults{Stall: 1, StallFor: time.Millisecond}, func(t *testing.T, _ *http.Response, _ string, err error) {
			assert.NoError(t, err)
		}, clienttest.Counts{Requests: 1, Failed: 1, Admitted: 1}},
	} {
		options := []clienttest.Option{clienttest.Fixed(10, time.Minute), clienttest.Draft8(), test.faults}
		t.Run(name, func(t *testing.T) {
			api := clienttest.NewServer(options...)
			defer api.Close()
			once := &http.Client{Transport: api.Client().Transport}
			resp, body, err := post(t, once, api.URL)
			test.check(t, resp, body, err)
			assert.Equal(t, test.want, api.Counts())
		})
		t.Run(name+" in memory", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := clienttest.NewInMemory(options...)
				defer api.Close()
				resp, body, err := post(t, api.Client(), api.URL)
				test.check(t, resp, body, err)
				assert.Equal(t, test.want, api.Counts())
			})
		})
	}
}

// post sends a request that net/http does not send again by itself.
func post(t *testing.T, hc *http.Client, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("x"))
	require.NoError(t, err)
	resp, err := hc.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// A request that stalls for ever ends with its context.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Faults{Stall: 1})
		defer api.Close()
		hc := api.Client()
		hc.Timeout = time.Minute
		began := time.Now()
		_, _, err := get(t, hc, api.URL, "a")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(began))
	})
}

// Shares are kept to, and the seed makes them repeatable.
func TestShares(t *testing.T) {
	count := func(seed uint64) (failed []int) {
		synctest.Test(t, func(t *testing.T) {
			api := clienttest.NewInMemory(clienttest.Faults{Shed: .2, Seed: seed}, clienttest.Latency(0, 0))
			defer api.Close()
			for range 500 {
				_, _, err := get(t, api.Client(), api.URL, "a")
				require.NoError(t, err)
			}
			for i, r := range api.Requests() {
				if r.Failed {
					failed = append(failed, i)
				}
			}
		})
		return failed
	}
	synctest.Test(t, func(t *testing.T) { // all shares together
		api := clienttest.NewInMemory(clienttest.Faults{Shed: .5, Truncate: .5}, clienttest.Latency(0, 0))
		defer api.Close()
		for range 100 {
			_, _, _ = get(t, api.Client(), api.URL, "a")
		}
		assert.Equal(t, 100, api.Counts().Failed)
		assert.InDelta(t, 50, api.Counts().Admitted, 20) // the truncated ones
	})
	one := count(1)
	assert.InDelta(t, 100, len(one), 30)
	assert.Equal(t, one, count(1))
	assert.NotEqual(t, one, count(2))
}
