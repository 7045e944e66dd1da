package observe

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle"
)

// A Level is how much is left of a limit, in steps.
type Level struct {
	// Key is who spends the limit, as in [client.Event].
	Key string
	// Limit is what is believed of it.
	Limit throttle.WindowStatus
	// Left is the share that is left, from 0 to 1.
	Left float64
	// Below is how many of the shares given to [Warn] it is below: 0 says that enough
	// is left again.
	Below int
}

// Warn returns an observer that calls f when less is left of a limit than one of
// shares, from 0 to 1, when it falls below the next, and when enough is left again.
// Warn(f, 0.25, 0.1) makes the steps 0, 1 and 2. It notices with the answer to a
// request, and needs a fiftieth more than a share to call the limit better, so that f
// is not called again and again on the edge. Calls of f do not overlap.
//
// Without a function, or with shares that are none, it returns an error.
func Warn(f func(Level), shares ...float64) (func(client.Event), error) {
	if f == nil || len(shares) == 0 {
		return nil, errors.New("observe: Warn got no function or no share")
	}
	for _, share := range shares {
		if math.IsNaN(share) || share <= 0 || share > 1 {
			return nil, fmt.Errorf("observe: a share of %v is not above 0 and at most 1", share)
		}
	}
	w := &warner{tell: f, shares: slices.Clone(shares), levels: make(map[levelKey]int)}
	return w.observe, nil
}

type warner struct {
	tell   func(Level)
	shares []float64

	mu     sync.Mutex
	levels map[levelKey]int // those above 0
}

type levelKey struct{ key, name, unit, scope string }

// maxLevels bounds the memory. Beyond it, all are forgotten: some warn again.
const maxLevels = 1 << 16

func (w *warner) observe(e client.Event) {
	if e.Kind != client.EventAnswer && e.Kind != client.EventRefuse {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range e.Limits {
		w.weigh(e.Key, &e.Limits[i])
	}
}

// hysteresis is how much more than a share is left when a limit is better again.
const hysteresis = 0.02

func (w *warner) weigh(key string, limit *throttle.WindowStatus) {
	if limit.Limit <= 0 {
		return // nothing to compare with
	}
	id := levelKey{key, limit.Name, limit.Unit, limit.Scope}
	was := w.levels[id]
	left := float64(limit.Credit) / float64(limit.Limit)
	below := w.below(left)
	if below < was {
		below = min(was, w.below(left-hysteresis))
	}
	if below == was {
		return
	}
	if len(w.levels) >= maxLevels {
		clear(w.levels)
	}
	w.levels[id] = below
	if below == 0 {
		delete(w.levels, id)
	}
	w.tell(Level{Key: key, Limit: *limit, Left: left, Below: below})
}

func (w *warner) below(left float64) (n int) {
	for _, share := range w.shares {
		if left < share {
			n++
		}
	}
	return n
}
