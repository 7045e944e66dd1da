package clienttest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/clienttest"
)

// A recorder is a test that fails.
type recorder struct{ failures []string }

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// Options that make no sense are found at once, all of them.
func TestBadOptions(t *testing.T) {
	for want, option := range map[string]clienttest.Option{
		"must be at least 1, got 0": clienttest.Fixed(0, time.Minute),
		"must be positive, got -1s": clienttest.Rolling(1, -time.Second),
		"the burst must be":         clienttest.Bucket(0, 1, time.Second),
		"at least 1, got -1":        clienttest.Concurrent(-1),
		"the zero Limit":            clienttest.Limit{},
		"GET  /":                    clienttest.Fixed(1, time.Minute).On("GET  /{"),
		"Latency":                   clienttest.Latency(2, 1),
		"add up":                    clienttest.Faults{Shed: .6, Reset: .6},
		"from 0 to 1":               clienttest.Faults{Stall: 2},
		"from 400 to 599":           clienttest.Faults{Status: 200},
		"not be negative":           clienttest.Faults{StallFor: -1},
		"from 200 to 599":           clienttest.Refusal{Status: 42},
	} {
		err := func() (err error) {
			defer func() { err = fmt.Errorf("%v", recover()) }()
			clienttest.NewInMemory(option, clienttest.Latency(5, 4)).Close()
			return errors.New("no panic")
		}()
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "Latency(5ns, 4ns)")
	}
}

// The checks tell what a failing test needs to know, and no credential.
func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.FromFirst(2, time.Minute).Named("per minute"), clienttest.Latency(0, 0))
		defer api.Close()
		var r recorder
		api.MustNotLag(&r, time.Hour)
		assert.Contains(t, r.failures[0], "no request")
		for range 4 {
			_, _, err := get(t, api.Client(), api.URL+"/items?key=secret", "secret")
			require.NoError(t, err)
			time.Sleep(5 * time.Second)
		}
		time.Sleep(5 * time.Minute)
		_, _, err := get(t, api.Client(), api.URL+"/items", "secret")
		require.NoError(t, err)

		r = recorder{}
		api.MustNotRefuse(&r)
		require.Len(t, r.failures, 1)
		for _, want := range []string{
			"refused 2 of 5", "number 3, GET /items, 10s after number 1", `"per minute" (2 in 1m0s, window from the first request)`,
			"50s later", "before it came number 2, GET /items, 5s after", "1 of them came back before",
		} {
			assert.Contains(t, r.failures[0], want)
		}
		assert.NotContains(t, r.failures[0], "secret")

		r = recorder{}
		api.MustAdmit(&r, 4)
		assert.Equal(t, []string{"the server admitted 3 requests, want 4 (received 5, refused 2, failed 0)"}, r.failures)

		r = recorder{}
		api.MustNotLag(&r, 4*time.Minute)
		require.Len(t, r.failures, 1)
		assert.Contains(t, r.failures[0], "was 4m20s slower than it had to be, at most 4m0s is allowed: it had 3 requests admitted in 5m20s, where the limits allow it in 1m0s")

		r = recorder{}
		api.MustAdmit(&r, 3)
		api.MustNotLag(&r, 5*time.Minute)
		assert.Empty(t, r.failures)
	})
}
