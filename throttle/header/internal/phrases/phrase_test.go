package phrases

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNamesInParts shows that a dot inside a name ends no sentence.
func TestNamesInParts(t *testing.T) {
	assert.Equal(t, " throttling rate must be a number . ", Plain("throttling.rate must be a number."))
	assert.Equal(t, " exceeded . please wait ", Plain("exceeded.Please wait"))
	assert.False(t, SaysLimited(Plain("throttling.rate must be a number")))
	assert.True(t, SaysLimited(Plain("Throttling.")))
}
