package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// TestExpectation shows which responses change what is known although the one before came in
// the same instant: all but those that its own requests explain.
func TestExpectation(t *testing.T) {
	const limit = 100_000
	for name, c := range map[string]struct {
		then header.Reading
		want int // what remains, as the newest response says
	}{
		"as expected":           {minute(limit, 89_998, 60), 89_998},
		"overtaken":             {minute(limit, 90_000, 60), 90_000},
		"others spend":          {minute(limit, 80_000, 60), 80_000},
		"a limit that fell":     {minute(95_000, 89_998, 60), 89_998},
		"little is left":        {minute(limit, 40, 60), 40},
		"an extra window":       {both(minute(limit, 89_998, 60), 500), 500},
		"a new window":          {minute(limit, 99_999, 120), 99_999},
		"a refusal":             {asRefusal(minute(limit, 0, 60)), 0},
		"it is not about limit": {header.Reading{}, 90_000},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := New(DefaultPolicy(), epoch)
			require.NoError(t, err)
			first := minute(limit, 90_000, 60)
			k.Observe(at(.01), k.Take(at(0), 1), &first)
			now := at(.01)
			one, open := k.Take(now, 1), k.Take(now, 1)
			k.Observe(now.Add(100*time.Microsecond), one, &c.then)
			_ = open // under way, and not counted yet
			least := limit
			for _, w := range k.Status(now.Add(100 * time.Microsecond)).Windows {
				least = min(least, w.Remaining)
				assert.LessOrEqual(t, w.Credit, w.Remaining+1)
				if len(c.then.Windows) > 0 && w.Name == "minute" {
					assert.InDelta(t, c.then.Windows[0].Limit.Value, w.Limit, 0)
				}
			}
			assert.Equal(t, c.want, least)
		})
	}
}

func asRefusal(r header.Reading) header.Reading {
	r.Refused = true
	return r
}

// both adds a window of an hour.
func both(r header.Reading, remaining int) header.Reading {
	r.Windows = append(r.Windows, header.Window{
		Name: "hour", Unit: "requests", Limit: known(1000), Remaining: known(remaining), Length: time.Hour,
		Reset: header.Reset{At: at(3600), Resolution: time.Millisecond},
	})
	return r
}

// TestOthersAreFoundOutAtSpeed requires that others who spend as much as this client are noticed
// also where hardly a response is learned from.
func TestOthersAreFoundOutAtSpeed(t *testing.T) {
	k, err := New(DefaultPolicy(), epoch)
	require.NoError(t, err)
	now, left := at(0), 1_000_000
	for range 40_000 {
		ticket := k.Take(now, 1)
		now = now.Add(10 * time.Microsecond)
		left -= 2
		r := minute(1_000_000, left, 60)
		k.Observe(now, ticket, &r)
	}
	status := k.Status(now).Windows
	require.Len(t, status, 1)
	assert.True(t, status[0].Others)
	assert.Equal(t, left, status[0].Remaining)
}
