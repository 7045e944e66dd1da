package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

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

// Demand returns what r asks of its limits.
//
// Deprecated: it serves [limit.Limit] alone.
func (r *Request) Demand() limit.Demand { return r.demand() }

// Observer is a limit that learns when requests are over.
//
// Deprecated: use [limit.Limiter], which has the method Done.
type Observer interface {
	Observe(now, taken time.Time)
}
