package throttle

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A job that ends long before the reset is not kept back for less than what is left would
// have to be spread by: that would slow it and save nothing.
func TestPacingThatSavesNothing(t *testing.T) {
	k := newScript(t, DefaultPolicy()).k
	k.lastSent = 100 * second
	far := k.pace(k.lastSent, 1, 900, 1000, k.lastSent+24*60*60*second, DefaultPolicy().MaxPacing)
	assert.Equal(t, k.lastSent, far.at)
	near := k.pace(k.lastSent, 1, 10, 15, k.lastSent+60*second, DefaultPolicy().MaxPacing)
	assert.Equal(t, k.lastSent+instant(DefaultPolicy().MaxPacing), near.at)
}
