package level_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

// A request that is larger than the limit waits for nothing, and no other request waits for it.
func TestTooLarge(t *testing.T) {
	now := start
	l := level.New()
	word := level.Window{Limit: 60000, Remaining: 20000, Left: 30 * time.Second, Length: time.Minute}
	l.Observe(now, l.Take(now, level.Demand{Prompt: 1600}), word)
	small, large := level.Demand{Prompt: 1600}, level.Demand{Prompt: 700_000}
	assert.False(t, l.Ask(now, level.Demand{Prompt: 320_000}).Go, "a prompt that may fit the limit, not what remains")

	assert.True(t, l.Ask(now, large).Go, "more than what remains, and than the limit")
	h := l.Take(now, large)
	assert.True(t, l.Ask(now, small).Go, "nothing is held for the other")
	now = now.Add(100 * time.Millisecond)
	l.Observe(now, h, word)
	l.Settle(now, h, level.Usage{}, false)
	assert.True(t, l.Ask(now, small).Go)
	assert.False(t, l.Ask(now, level.Demand{Cost: 30000, Known: true}).Go, "a cost that is known")

	for range 8 { // a token has four bytes
		h := l.Take(now, small)
		l.Settle(now, h, level.Usage{Total: 400, Prompt: 400}, true)
	}
	l.Observe(now, l.Take(now, small), word)
	assert.True(t, l.Ask(now, level.Demand{Prompt: 330_000}).Go)
	assert.False(t, l.Ask(now, level.Demand{Prompt: 200_000}).Go)
}
