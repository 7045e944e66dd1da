package clock

import "time"

// UsualLengths are the periods that limits have. A server that does not tell
// the length of its window but shows 42 seconds to the reset has a window of a
// minute.
var UsualLengths = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 31 * 24 * time.Hour,
}

// UsualLength returns the shortest usual length that is not below least, or
// least itself where there is none.
func UsualLength(least Instant) Instant {
	for _, usual := range UsualLengths {
		if Instant(usual) >= least {
			return Instant(usual)
		}
	}
	return least
}

// Longest is more than any window lasts: what is further away is no reset of one.
const Longest = 400 * 24 * 60 * 60 * Second

// A Length is the period of a window: told by the server, or inferred from the
// longest time to a reset that was seen.
type Length struct {
	Value Instant // 0 is unknown
	Least Instant // that it is taken for
	least Instant // what the resets prove
	Told  bool
	// seen says that a reset moved by just this length, often enough: the more often a
	// refusal showed that the length was wrong, the more often it has to.
	seen  bool
	moves int
	wrong int
}

// lengthMoves is how often more a reset has to move by a length for each time that this
// length was wrong.
const lengthMoves = 8

// Bound takes in what a response says. It reports whether the length changed.
func (l *Length) Bound(value time.Duration) bool {
	length := min(Instant(value), Longest)
	changed := length != l.Value
	l.Value, l.Told, l.seen = length, true, l.seen && !changed
	return changed
}

// Infer learns from the time between a response and the reset that it announced,
// which no window is shorter than. left bounds that time as it was announced,
// step is the step of its rounding. most is what the window does not exceed, or 0 if
// that is not known. Infer reports whether the length changed.
func (l *Length) Infer(left Interval, step, most Instant) bool {
	// Rounded down, the announcement may be a step short; up, it may be a step more
	// than the window has. For windows of many steps the usual lengths lie far
	// enough apart to allow for the latter; for short ones the longer is safe.
	least := left.Latest + step
	if least > 20*step {
		least = left.Earliest - step
	}
	if l.Told || least > Longest {
		return false
	}
	l.least, l.Least = max(l.least, left.Earliest-step), max(l.Least, least)
	value := UsualLength(l.Least)
	if usual := usualWithin(most); usual < value && usual > 0 && usual >= l.least {
		value = usual
	}
	if value == l.Value {
		return false
	}
	l.Value, l.seen, l.moves = value, false, 0
	return true
}

// Finer takes in that the resets of which the length was inferred were told finer than was believed, so that
// it is shorter than it was taken for by up to so much.
func (l *Length) Finer(by Instant) { l.Least = max(l.Least-by, l.least) }

// usualWithin returns the longest usual length that is not above most, or 0.
func usualWithin(most Instant) (longest Instant) {
	for _, usual := range UsualLengths {
		if Instant(usual) <= most {
			longest = Instant(usual)
		}
	}
	return longest
}

// Moved takes in by how much a reset moved.
func (l *Length) Moved(by Interval) {
	if by.Meets(Interval{l.Value, l.Value}) && by.Width() <= l.Value/2 {
		l.moves++
		l.seen = l.moves > lengthMoves*l.wrong
	}
}

// Refute takes in that a request was refused that the log of such a length allowed.
func (l *Length) Refute() {
	if l.seen && !l.Told {
		l.seen, l.moves, l.wrong = false, 0, l.wrong+1
	}
}

// Known reports whether it is more than a guess.
func (l *Length) Known() bool { return l.Told || l.seen }

// Shortest returns the shortest length that it may be.
func (l *Length) Shortest() Instant {
	if l.Told {
		return l.Value
	}
	return min(UsualLength(l.least), l.Value)
}

// Period returns the length as the server told it, or 0 if it did not.
func (l *Length) Period() Instant {
	if !l.Told {
		return 0
	}
	return l.Value
}
