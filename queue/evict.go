package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// forgetOldest makes room for a key: the least recently used goes that is not in use and would let its
// next request go at once. A key that is to wait is kept, as long as there are others, so that keys
// which never come again do not push out what a server said for long. Keys in use stay always; there can
// be more of them than the maximum.
func (l *Queue) forgetOldest(now time.Time) {
	const tries = 8 // keys that stay are rare at the old end, and move away from it
	for range tries {
		k := l.oldest
		if k == nil {
			return
		}
		if !k.busy() && !k.holds(now) {
			l.forgetKey(k)
			return
		}
		l.unlinkKey(k)
		l.linkKey(k)
	}
	if len(l.keys) < l.maxKeys+l.maxKeys/8 {
		return // more are looked at when the next one comes
	}
	for range tries {
		k := l.oldest
		if !k.busy() {
			l.forgetKey(k)
			return
		}
		l.unlinkKey(k)
		l.linkKey(k)
	}
}

// holds reports whether a request of the key would have to wait for a limit that is the key's alone.
func (k *key) holds(now time.Time) bool {
	if k.own != nil && holds(k.own, now) {
		return true
	}
	for _, g := range k.limiters {
		if g != nil && holds(g.limit, now) {
			return true
		}
	}
	return false
}

func holds(l limit.Limiter, now time.Time) bool {
	a := l.Ask(now, limit.Demand{})
	return a.Max <= 0 && !a.Admits(now)
}
