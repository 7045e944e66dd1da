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

// FuzzPlain requires that a text as words has a space around each, and that no text makes
// the verdicts panic.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"Rate limit exceeded.", "FLOOD_WAIT_30", "urn:x:rateLimited", "Limit 10, Used 0, Requested 12", "\xff\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain := Plain(text)
		assert.True(t, plain[0] == ' ' && plain[len(plain)-1] == ' ', "%q", plain)
		assert.NotContains(t, plain, "  ")
		assert.LessOrEqual(t, len(plain), 3*len(text)+2)
		_ = []bool{SaysLimited(plain), SaysSomeLimit(plain), SaysBilling(plain, true), SaysBilling(plain, false), AsksTooMuch(plain), IsAboutField(text)}
		_, code := ReadCode(text)
		assert.NotEmpty(t, code)
	})
}
