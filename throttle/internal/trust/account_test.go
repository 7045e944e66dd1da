package trust

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A ledger answers requests one after the other, of a window of 100 in a minute.
type ledger struct {
	account

	now, opens clock.Instant
	sent       int64
}

func (l *ledger) answer(remaining int64) {
	l.now += 100 * clock.Millisecond
	if l.now >= l.opens {
		l.opens += 60 * clock.Second
	}
	l.sent++
	l.observe(&Response{Now: l.now, Number: l.sent, Answered: l.sent, Sent: l.sent, Remaining: remaining, Limit: 100,
		Reset: l.opens, ResetKnown: true, Length: &clock.Length{Value: 60 * clock.Second, Told: true}})
}

// Much that is gone at once is strange, in a window or when the next one should have brought it
// back, but not what falls by and by, or was sent.
func TestMuchIsGoneAtOnce(t *testing.T) {
	l := &ledger{opens: 60 * clock.Second}
	for n := int64(99); n >= 0; n-- {
		l.answer(n)
		assert.False(t, l.strange, n)
	}
	l.now = l.opens
	l.answer(99)
	assert.False(t, l.strange, "it opened")
	l.answer(98)
	l.answer(80)
	assert.False(t, l.strange, "others may have sent some")
	l.answer(0)
	assert.True(t, l.strange, "gone at once")
	l.answer(0)
	assert.True(t, l.strange)
	l.answer(40)
	assert.False(t, l.strange, "it is back")

	l.now = l.opens
	l.answer(99)
	l.now = l.opens
	l.answer(0)
	assert.True(t, l.strange, "nothing came back")
	assert.Equal(t, 15*clock.Second, l.regains)
}

// A window that counts is tested if it becomes strange, though others may spend it, unless a refusal
// confirmed it.
func TestStrangeWindowsAreDoubted(t *testing.T) {
	e := Estimator{account: account{fell: accountFalls}}
	assert.False(t, e.Doubted(false))
	e.account.strange = true
	assert.True(t, e.Doubted(true))
	e.confirmed = true
	assert.False(t, e.Doubted(true))
}
