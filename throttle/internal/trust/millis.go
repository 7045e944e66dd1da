package trust

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// Millis notices that delays until a reset are milliseconds that were taken for seconds, because
// nothing says what they are: they fall a thousand times as fast as time passes.
type Millis struct {
	last   clock.Instant // the delay that was told
	at     clock.Instant // when the response came that told it
	agreed int           // delays in a row that fell so fast
}

const (
	millisAgreed = 2
	millisApart  = clock.Second / 5 // between two responses that are compared
	millisBlur   = 3                // so many times as fast or slow are requests on their way
)

// Correct takes in the reset that a response tells which came at now, and returns what it means.
func (m *Millis) Correct(now clock.Instant, r header.Reset) header.Reset {
	if !r.At.IsZero() || r.Resolution != time.Second {
		return r
	}
	m.observe(now, clock.Bounded(r.In))
	if m.Told() {
		r.In, r.Resolution = r.In/1000, r.Resolution/1000
	}
	return r
}

// Told reports whether delays are milliseconds.
func (m *Millis) Told() bool { return m.agreed >= millisAgreed }

func (m *Millis) observe(now, delay clock.Instant) {
	passed, fell := now-m.at, m.last-delay
	switch {
	case m.at == 0: // the first
	case passed < millisApart && fell >= 0:
		return
	case fell < 0 && m.Told(): // another window
	case fell > 1000/millisBlur*passed && fell < 1000*millisBlur*passed:
		m.agreed = min(m.agreed+1, 2*millisAgreed)
	default:
		m.agreed = max(m.agreed-1, 0)
	}
	m.last, m.at = delay, now
}
