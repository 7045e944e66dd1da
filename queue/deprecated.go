package queue

// Line is the old name of [Queue].
//
// Deprecated: use [Queue].
type Line = Queue

// Place is the old name of [Position].
//
// Deprecated: use [Position].
type Place = Position

// WithFloor is the old name of [WithMinimumShare].
//
// Deprecated: use [WithMinimumShare].
func WithFloor(share float64) Option { return WithMinimumShare(share) }

// Place is the old name of [Waiting.Position].
//
// Deprecated: use [Waiting.Position].
func (w Waiting) Place() (Position, bool) { return w.Position() }

// Return is the old name of [Permit.Cancel].
//
// Deprecated: use [Permit.Cancel].
func (p Permit) Return(*Request) { p.Cancel() }
