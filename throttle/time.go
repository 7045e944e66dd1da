package throttle

import "github.com/forbear-go/forbear/throttle/internal/clock"

// The short names of what every file uses of time.
type (
	instant  = clock.Instant
	interval = clock.Interval
)

const (
	millisecond = clock.Millisecond
	second      = clock.Second
	never       = clock.Never
	farthest    = clock.Farthest
)
