package client

import (
	"math"
	"sync"

	"github.com/forbear-go/forbear/throttle/cost"
)

// unevenCosts finds out whether requests cost very different amounts, by what responses tell.
type unevenCosts struct {
	mu           sync.Mutex
	n            int
	mean, spread float64
}

// observe takes in what one request cost.
func (c *unevenCosts) observe(used cost.Units) {
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

// uneven reports whether a limit on what requests cost is none on their number.
func (c *unevenCosts) uneven() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n >= 8 && c.spread > 0.3*c.mean
}

// observeCost takes in what a request cost, if its response told that.
func (p *principal) observeCost(used cost.Units) {
	if len(used) == 0 {
		return
	}
	c := p.costs.Load()
	if c == nil {
		p.costs.CompareAndSwap(nil, new(unevenCosts))
		c = p.costs.Load()
	}
	c.observe(used)
}

// uneven reports whether requests cost very different amounts.
func (p *principal) uneven() bool {
	c := p.costs.Load()
	return c != nil && c.uneven()
}
