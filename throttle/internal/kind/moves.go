package kind

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A moves watches how the reset moves: that of a fixed window, once it is over, by a whole
// length at least, that of one that rolls by less.
type moves struct {
	rolled int            // how often in turn it moved by less than a window
	jumped int            // and by a whole window
	anchor clock.Interval // the reset from which the next move counts
}

// movesEnough is how many moves show how the window counts.
const movesEnough = 3

// observe takes in a reset.
func (m *moves) observe(reset clock.Interval, length clock.Instant) {
	by := reset.Earliest - m.anchor.Earliest
	switch {
	case length == 0 || m.anchor.Meets(reset) || by < 0:
		return
	case by < length/2:
		m.rolled, m.jumped = m.rolled+1, 0
	default:
		m.rolled, m.jumped = 0, m.jumped+1
	}
	m.anchor = reset
}
