// Package uneven finds out whether requests cost very different amounts, by what responses tell. Where they
// do, a limit on what requests cost is none on their number.
//
// It imports nothing of this module but package cost, and has one type: [Costs].
package uneven

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/forbear-go/forbear/throttle/cost"
)

// Costs is what the requests of one principal cost. Its zero value knows of none, and takes no more
// room than a pointer until a response tells of one. It is safe for concurrent use.
type Costs struct{ told atomic.Pointer[costs] }

type costs struct {
	mu           sync.Mutex
	n            int
	mean, spread float64
}

// Observe takes in what a request cost, if its response told that.
func (c *Costs) Observe(used cost.Units) {
	if len(used) == 0 {
		return
	}
	told := c.told.Load()
	if told == nil {
		c.told.CompareAndSwap(nil, new(costs))
		told = c.told.Load()
	}
	told.observe(used)
}

func (c *costs) observe(used cost.Units) {
	sum := 0.0
	for _, n := range used {
		sum += n
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n = min(c.n+1, 64)
	weight := 1 / float64(c.n)
	c.spread += weight * (math.Abs(sum-c.mean) - c.spread)
	c.mean += weight * (sum - c.mean)
}

// Uneven reports whether requests cost very different amounts, so that their number is not limited.
func (c *Costs) Uneven() bool {
	told := c.told.Load()
	if told == nil {
		return false
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	return told.n >= 8 && told.spread > 0.3*told.mean
}
