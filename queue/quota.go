package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A Quota is a limit as a value, such as 300 per minute. It is rolling unless one of its methods says
// otherwise; see [limit.Quota].
type Quota = limit.Quota

// PerSecond is n in each second.
func PerSecond(n int) Quota { return limit.Per(n, time.Second) }

// PerMinute is n in each minute.
func PerMinute(n int) Quota { return limit.Per(n, time.Minute) }

// PerHour is n in each hour.
func PerHour(n int) Quota { return limit.Per(n, time.Hour) }

// PerDay is n in each 24 hours or, with FixedWindow, in each calendar day.
func PerDay(n int) Quota { return limit.Per(n, 24*time.Hour) }

// Per is n in each span of length d. Both must be positive.
func Per(n int, d time.Duration) Quota { return limit.Per(n, d) }

// Every is one in each span of length d.
func Every(d time.Duration) Quota { return limit.Per(1, d) }
