package throttle

import "time"

// usualLengths are the periods that limits have. A server that does not tell
// the length of its window but shows 42 seconds to the reset has a window of a
// minute.
var usualLengths = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 31 * 24 * time.Hour,
}

// usualLength returns the shortest usual length that is not below least, or
// least itself where there is none.
func usualLength(least instant) instant {
	for _, usual := range usualLengths {
		if instant(usual) >= least {
			return instant(usual)
		}
	}
	return least
}

// longest is more than any window lasts: what is further away is no reset of one.
const longest = 400 * 24 * 60 * 60 * second

// A length is the period of a window: told by the server, or inferred from the
// longest time to a reset that was seen.
type length struct {
	value instant // 0 is unknown
	least instant // what the resets prove
	told  bool
	// seen says that a reset moved by just this length, often enough: the more often a
	// refusal showed that the length was wrong, the more often it has to.
	seen  bool
	moves int
	wrong int
}

// lengthMoves is how often more a reset has to move by a length for each time that this
// length was wrong.
const lengthMoves = 8

// bound takes in what a response says. It reports whether the length changed.
func (l *length) bound(value time.Duration) bool {
	length := min(instant(value), longest)
	changed := length != l.value
	l.value, l.told, l.seen = length, true, l.seen && !changed
	return changed
}

// infer learns from the time between a response and the reset that it announced,
// which no window is shorter than. left bounds that time as it was announced,
// step is the step of its rounding. It reports whether the length changed.
func (l *length) infer(left interval, step instant) bool {
	// Rounded down, the announcement may be a step short; up, it may be a step more
	// than the window has. For windows of many steps the usual lengths lie far
	// enough apart to allow for the latter; for short ones the longer is safe.
	least := left.latest + step
	if least > 20*step {
		least = left.earliest - step
	}
	if l.told || least <= l.least {
		return false
	}
	l.least = least
	if least > longest {
		return false
	}
	value := usualLength(least)
	if value == l.value {
		return false
	}
	l.value, l.seen, l.moves = value, false, 0
	return true
}

// moved takes in by how much a reset moved.
func (l *length) moved(by interval) {
	if by.meets(interval{l.value, l.value}) && by.width() <= l.value/2 {
		l.moves++
		l.seen = l.moves > lengthMoves*l.wrong
	}
}

// refute takes in that a request was refused that the log of such a length allowed.
func (l *length) refute() {
	if l.seen && !l.told {
		l.seen, l.moves, l.wrong = false, 0, l.wrong+1
	}
}

// known reports whether it is more than a guess.
func (l *length) known() bool { return l.told || l.seen }
