package queue

// An Overflow is what happens when a request has to wait and the queue is full; see [WithMaxWaiting].
type Overflow uint8

const (
	// RefuseNewest makes the new request fail with [ErrFull].
	RefuseNewest Overflow = iota
	// DropOldest makes the oldest waiting request of the lowest priority present fail with
	// [ErrDropped]. If the priority of the new request is lower still, it fails itself, with [ErrFull].
	DropOldest
	// Block makes the new request wait for room, in the order of arrival whatever its priority. Its
	// deadlines apply meanwhile.
	Block
)

// makeRoom makes room for t, which is in the queue although the queue is full: requests that wait in vain give
// way, and otherwise the queue's Overflow applies. It returns the error with which t is rejected, or nil.
func (l *Queue) makeRoom(t *ticket) error {
	if oldest := l.arrivals[inVain].oldest; oldest != nil {
		l.fail(oldest, oldest.err)
		return nil
	}
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
		l.waitForRoom(t)
		return nil
	}
	return ErrFull
}

// waitForRoom makes t wait outside the queue until there is room.
func (l *Queue) waitForRoom(t *ticket) {
	l.drop(t)
	l.overflowed.add(t)
	t.key.waiting++
}

// giveWayTo turns away a request of t's key that waits in vain. It reports whether there was one.
func (l *Queue) giveWayTo(t *ticket) bool {
	for n := range t.key.eachBucket {
		for _, f := range n.flows {
			if f.level == inVain {
				l.fail(f.head(), f.head().err)
				return true
			}
		}
	}
	return false
}

// fillUp moves requests that wait for room into the queue as far as there is room. It reports whether
// it moved any.
func (l *Queue) fillUp() bool {
	if l.overflowed.len() == 0 || l.waiting >= l.room {
		return false
	}
	t := l.overflowed.head()
	l.drop(t)
	l.join(t)
	return true
}
