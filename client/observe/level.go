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

// A Level is how much of a limit is left, in steps.
type Level struct {
	// Key is the hash of the key that spends the limit, as in [client.Event].
	Key string
	// Limit is the state of the limit.
	Limit throttle.WindowStatus
	// Left is the share that is left, from 0 to 1.
	Left float64
	// Below is the number of shares passed to [Warn] that Left is below: 0 means that
	// enough is left again.
	Below int
}

// Warn returns an observer that calls f when what is left of a limit falls below one of
// the given shares, and when it rises above one again. The shares must be above 0 and at
// most 1. With Warn(f, 0.25, 0.1), Below is 0, 1 or 2. The observer learns what is left from
// the responses. It requires 0.02 more than a share to report that the limit has
// recovered, so that it does not call f again and again near a share. Calls of f do not
// overlap.
//
// Warn returns an error if f is nil, if there are no shares, or if one is out of range.
func Warn(f func(Level), shares ...float64) (func(client.Event), error) {
	if f == nil || len(shares) == 0 {
		return nil, errors.New("observe: Warn needs a function and at least one share")
	}
	for _, share := range shares {
		if math.IsNaN(share) || share <= 0 || share > 1 {
			return nil, fmt.Errorf("observe: Warn: a share must be above 0 and at most 1, got %v", share)
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

// maxLevels bounds the memory. Beyond it, the observer forgets all levels, so that some
// limits warn again.
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

// hysteresis is how much more than a share must be left before a limit counts as recovered.
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
