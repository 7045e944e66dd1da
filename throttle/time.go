package throttle

import "github.com/forbear-go/forbear/throttle/internal/clock"

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
