package sharing

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

const (
	// novelKept is how many requests of late count, and novelMuch the share of those that are the first of their group where
	// hardly any is asked for again.
	novelKept = 32
	novelMuch = .25
	// vainMost is how many such requests in a row are refused where their groups have no quotas of their own.
	vainMost = 8
)

// Note takes in that there is a request, before it may wait.
func (c *Counters) Note(g *Groups) {
	for l, id := range g {
		of := c.of(Level(l), id)
		c.novel[l] -= c.novel[l] / novelKept
		if !of.noted {
			of.noted = true
			c.novel[l] += 1. / novelKept
		}
	}
}

// fleeting reports whether hardly any group of a level is asked for again.
func (c *Counters) fleeting(l Level) bool { return c.novel[l] > novelMuch }

// doubt gives up a level of which every group is new, and refused at once: then none has a quota of its own.
func (c *Counters) doubt(now time.Time, g *Groups, r *header.Reading) {
	l := c.Level()
	of := c.series[l][g[l]]
	switch {
	case l == ByBucket || of == nil || of.sent > 1 || r.Overloaded():
	case !r.Refused:
		c.vain = 0
	case r.Exhausted() && c.fleeting(l):
		if c.vain++; c.vain >= vainMost {
			c.vain = 0
			c.fail(now, l)
			for b := c; b != nil; b = b.beside {
				b.level, b.fits, b.kept = ByBucket, [levels]fit{}, time.Time{}
			}
		}
	}
}

// tells reports whether groups of a level are asked for again, while those of a coarser one hardly are.
func (c *Counters) tells(l, than Level) bool { return 2*c.novel[l] < c.novel[than] }
