package queue

import "time"

// Line is the old name of [Queue].
//
// Deprecated: use [Queue].
type Line = Queue

// Place is the old name of [Position].
//
// Deprecated: use [Position].
type Place = Position

// Answer is the old name of [Decision].
//
// Deprecated: use [Decision].
type Answer = Decision

// WithFloor is the old name of [WithMinimumShare].
//
// Deprecated: use [WithMinimumShare].
func WithFloor(share float64) Option { return WithMinimumShare(share) }

// Smooth is the old name of [Quota.TokenBucket].
//
// Deprecated: use [Quota.TokenBucket].
func (q Quota) Smooth(burst int) Quota { return q.TokenBucket(burst) }

// Aligned is the old name of [Quota.FixedWindow].
//
// Deprecated: use [Quota.FixedWindow].
func (q Quota) Aligned(zone *time.Location) Quota { return q.FixedWindow(zone) }

// Weighed is the old name of [Quota.SlidingCounter].
//
// Deprecated: use [Quota.SlidingCounter].
func (q Quota) Weighed() Quota { return q.SlidingCounter() }

// Place is the old name of [Waiting.Position].
//
// Deprecated: use [Waiting.Position].
func (w Waiting) Place() (Position, bool) { return w.Position() }
