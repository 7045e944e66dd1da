package queue

// Overflow says what happens when a request has to wait and there is no room; see [WithMaxWaiting].
type Overflow uint8

const (
	// RefuseNewest turns the newcomer away with [ErrFull].
	RefuseNewest Overflow = iota
	// DropOldest turns away the one that has waited longest among those of the lowest priority that
	// waits, with [ErrDropped]; a newcomer of a still lower priority gets [ErrFull] itself.
	DropOldest
	// Block lets the newcomer wait for room, in the order of arrival whatever its priority. Its
	// deadlines hold there too.
	Block
)

// makeRoom applies the queue's Overflow to t, which is in the queue but for which there is no room. It
// returns the error with which t is turned away, or nil.
func (l *Queue) makeRoom(t *ticket) error {
	switch l.overflow {
	case DropOldest:
		for i := range l.arrivals {
			switch oldest := l.arrivals[i].oldest; oldest {
			case nil:
			case t:
				return ErrFull
			default:
				l.fail(oldest, &WaitError{Err: ErrDropped})
				return nil
			}
		}
	case Block:
		l.drop(t)
		l.overflowed.add(t)
		t.key.waiting++
		return nil
	}
	return ErrFull
}

// fillUp moves those who wait for room into the queue, if there is some. It reports whether anything
// changed.
func (l *Queue) fillUp() bool {
	if l.overflowed.len() == 0 || l.waiting >= l.room {
		return false
	}
	t := l.overflowed.head()
	l.drop(t)
	l.join(t)
	return true
}
