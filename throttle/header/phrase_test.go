package header

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNamesInParts shows that a dot inside a name ends no sentence.
func TestNamesInParts(t *testing.T) {
	assert.Equal(t, " throttling rate must be a number . ", plainText("throttling.rate must be a number."))
	assert.Equal(t, " exceeded . please wait ", plainText("exceeded.Please wait"))
	assert.False(t, saysLimited(plainText("throttling.rate must be a number")))
	assert.True(t, saysLimited(plainText("Throttling.")))
}
