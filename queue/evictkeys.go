package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// forgetOldest makes room for a key. It removes the least recently used key that is not in use and whose
// next request could be sent at once. As long as there are such keys, it keeps those that have to wait,
// so that keys that are used only once do not displace what a server said about a long wait. It never
// removes keys in use, even if there are more of them than the maximum.
func (l *Queue) forgetOldest(now time.Time) {
	const tries = 8 // few keys at the old end have to stay, and those move to the new end
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
		return // the next call looks at more keys
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

// holds reports whether a request of the key would have to wait for a limit of the key alone.
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
