package client_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
)

// Where the server names no time, one policy decides how long a request waits, after
// failures and after refusals alike: by default so that the
// fourth retry comes 15 seconds after the first attempt.
func TestBackoffWithoutWords(t *testing.T) {
	constant, err := backoff.New(backoff.Constant(3 * time.Second))
	require.NoError(t, err)
	for _, status := range []int{429, 503} {
		for name, c := range map[string]struct {
			opts        []client.Option
			least, most []time.Duration
		}{
			"default": {
				nil,
				[]time.Duration{450 * time.Millisecond, 2200 * time.Millisecond, 4 * time.Second, 8350 * time.Millisecond},
				[]time.Duration{750 * time.Millisecond, 2500 * time.Millisecond, 4300 * time.Millisecond, 8650 * time.Millisecond},
			},
			"own": {
				[]client.Option{client.WithBackoff(constant)},
				[]time.Duration{3 * time.Second, 3 * time.Second, 3 * time.Second, 3 * time.Second},
				[]time.Duration{3 * time.Second, 3 * time.Second, 3 * time.Second, 3 * time.Second},
			},
		} {
			for range 20 {
				synctest.Test(t, func(t *testing.T) {
					base := &recorder{answer: sequence(status)}
					resp, err := transport(t, base, c.opts...).RoundTrip(get(t.Context(), "/"))
					require.NoError(t, err)
					assert.Equal(t, status, resp.StatusCode)
					waits := gaps(base.times)
					require.Len(t, waits, 4)
					least, most := slices.Clone(c.least), slices.Clone(c.most)
					if status == 503 && name == "default" { // a limit of a second may be the reason
						copy(least, []time.Duration{time.Second, 1850 * time.Millisecond})
						copy(most, []time.Duration{1100 * time.Millisecond, 1950 * time.Millisecond})
					}
					for i, wait := range waits {
						assert.GreaterOrEqual(t, wait, least[i], "%s, %d, retry %d", name, status, i+1)
						assert.LessOrEqual(t, wait, most[i], "%s, %d, retry %d", name, status, i+1)
					}
				})
			}
		}
	}
}
