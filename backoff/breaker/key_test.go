package breaker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff/breaker"
)

func TestPerKey(t *testing.T) {
	perKey, err := breaker.PerKey(breaker.Defaults())
	require.NoError(t, err)
	a, b := perKey("a").(*breaker.Breaker), perKey("b").(*breaker.Breaker)
	report(t, a, 20, answer(500))
	assert.Equal(t, "open", a.Stats().State)
	assert.Equal(t, "closed", b.Stats().State)

	_, err = a.Allow()
	until, ok := err.(interface{ RetryAt() time.Time })
	require.True(t, ok)
	assert.WithinDuration(t, time.Now().Add(5*time.Second), until.RetryAt(), 5*time.Second)

	_, err = breaker.PerKey(breaker.Config{})
	require.ErrorIs(t, err, breaker.ErrInvalid)
}
