package limit

import "time"

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
