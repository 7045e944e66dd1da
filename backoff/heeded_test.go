package backoff

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The wait that a server asks for counts on refusals and on responses that report overload.
// On other failures it neither delays the retry nor prevents it.
func TestWhichWaitsAreHeeded(t *testing.T) {
	policy, err := New(Constant(time.Second))
	require.NoError(t, err)
	config := Defaults()
	config.Policy = policy
	config.Read = func(resp *http.Response) (time.Duration, bool, bool) {
		return 5 * time.Minute, true, resp.StatusCode == 403
	}
	s, err := NewStrategy(config)
	require.NoError(t, err)
	for _, c := range []struct {
		status  int
		refused bool
		heeded  bool
	}{
		{429, true, true}, {429, false, true}, {403, true, true}, {503, false, true}, {529, false, true},
		{500, false, false}, {502, false, false}, {504, false, false}, {507, false, false}, {520, false, false}, {408, false, false},
	} {
		for _, wait := range []time.Duration{5 * time.Minute, 5 * time.Hour} {
			a := Attempt{Number: 1, Request: request(t, "GET", ""), Response: response(c.status), Refused: c.refused, Wait: wait, WaitKnown: true}
			got, err := s.Next(time.Now(), a, nil)
			switch {
			case !c.heeded:
				require.NoError(t, err, c.status)
				assert.Equal(t, time.Second, got, c.status)
			case wait == 5*time.Hour:
				assert.Error(t, err, c.status)
			default:
				require.NoError(t, err, c.status)
				assert.GreaterOrEqual(t, got, wait, c.status)
			}
		}
		resp := response(c.status)
		if got := s.Backoff(0, 0, 0, resp); c.heeded && (c.status != 429 || c.refused) {
			assert.GreaterOrEqual(t, got, 5*time.Minute, c.status)
		} else if !c.heeded {
			assert.Equal(t, time.Second, got, c.status)
		}
	}
}

// A refusal that asks for no wait at all is retried at once, then soon, and then as the policy
// says: zero may be a fraction of a second, rounded down.
func TestAWaitOfZero(t *testing.T) {
	s, err := NewStrategy(Defaults())
	require.NoError(t, err)
	a := Attempt{Number: 1, Request: request(t, "GET", ""), Response: response(429), WaitKnown: true}
	for range 100 {
		wait, err := s.Next(time.Now(), a, nil)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, wait, 20*time.Millisecond)
		assert.Less(t, wait, 30*time.Millisecond)
		next := a
		for next.Number = 2; next.Number <= 3; next.Number++ {
			least := []time.Duration{300 * time.Millisecond, time.Second}[next.Number-2]
			wait, err = s.Next(time.Now(), next, nil)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, wait, least)
			assert.Less(t, wait, least*3/2)
		}
	}
	a.Number = 4
	wait, err := s.Next(time.Now(), a, nil)
	require.NoError(t, err)
	assert.Greater(t, wait, 6*time.Second)
	a.Number, a.WaitKnown = 1, false
	wait, err = s.Next(time.Now(), a, nil)
	require.NoError(t, err)
	assert.Greater(t, wait, 400*time.Millisecond)
}
