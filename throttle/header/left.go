package header

import "net/http"

// Left returns how much is left, as a success tells that is of the same shape as one
// that was read before and speaks of one window in plain numbers. It looks at nothing
// else: it is a glance between two readings of other responses. It reports false where
// that is not enough, and the response has to be read.
func (rd *Reader) Left(h http.Header) (int64, bool) {
	if len(h) >= maxShape || rd.bodies {
		return 0, false
	}
	s := rd.shapes[len(h)].Load()
	if s == nil || s.left == nil {
		return 0, false
	}
	values := h[s.left.name]
	if len(values) != 1 {
		return 0, false
	}
	return digits(values[0])
}

// onlyLeft returns the field that tells how much is left, if all others about limits
// tell of the same window.
func (s *shape) onlyLeft() (left *field) {
	if !s.plain {
		return nil
	}
	for _, f := range s.told {
		switch {
		case f.role > roleDate:
			return nil // it may be told by a cache
		case f.role == roleRemaining:
			left = f
		}
	}
	return left
}
