package trust_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

const second = clock.Second

// That nothing is left is tried after a minute, sooner if that is served, and ever more rarely if it is
// refused.
func TestBelief(t *testing.T) {
	said := &header.Window{Limit: header.Count{State: header.Known, Value: 10}}
	var b trust.Belief
	hear := func(now clock.Instant, remaining int64, refused bool) (wrong bool) {
		return b.Observe(now, said, remaining, true, refused, false)
	}
	try := func(now clock.Instant, refused bool) {
		b.Send(true)
		b.Try(now)
		hear(now, 0, refused)
	}
	assert.False(t, hear(0, 5, false))
	assert.False(t, b.Empty())
	hear(0, 0, false)
	assert.True(t, b.Empty())
	assert.Equal(t, 60*second, b.Due())

	try(60*second, true)
	assert.Equal(t, 180*second, b.Due(), "the pause doubles")

	try(180*second, false)
	assert.LessOrEqual(t, b.Due(), 210*second, "an eighth of the pause")
	assert.False(t, b.Beyond())
	try(210*second, false)
	assert.True(t, b.Beyond(), "served twice in a row")
	try(400*second, true)
	assert.False(t, b.Beyond())

	b.Send(true)
	b.Try(2000 * second)
	assert.True(t, hear(2000*second, 5, false), "something is left")
	assert.False(t, b.Empty())
}

// A response that tells that more was used than the limit allows shows that it limits nothing.
func TestMoreUsedThanAllowed(t *testing.T) {
	said := &header.Window{Limit: header.Count{State: header.Known, Value: 10}, Used: header.Count{State: header.Known, Value: 11}}
	var b trust.Belief
	b.Observe(0, said, 0, true, true, false)
	assert.False(t, b.Beyond(), "it was refused")
	b.Observe(0, said, 0, true, false, false)
	assert.True(t, b.Beyond())
}

// Resets are not believed for an hour once a window opened twice long before them.
func TestResetsThatMislead(t *testing.T) {
	const now, ahead = 1000 * second, 600 * second
	var log eventlog.Log
	log.Add(now-10*second, 10)
	var r trust.Resets
	assert.False(t, r.Reopen(now, ahead, 10, 10, false, &log))
	assert.False(t, r.Reopen(now, 60*second, 10, 10, false, &log), "not long before")
	assert.False(t, r.Reopen(now, ahead, 5, 10, false, &log), "not all came back")
	assert.False(t, r.Reopen(now, 5*second, 10, 10, false, &log))
	assert.False(t, r.Reopen(now, ahead, 10, 10, false, new(eventlog.Log)), "nothing was spent that could come back")
	assert.False(t, r.Mislead(now))
	assert.True(t, r.Reopen(now, ahead, 10, 10, false, &log))
	assert.True(t, r.Mislead(now+3600*second-1))
	assert.False(t, r.Mislead(now+3600*second))
}
