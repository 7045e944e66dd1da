package level

import (
	"math"
	"time"
)

// silence is how long the newest word holds where nothing tells when there is more.
const silence = 2 * time.Second

// later returns when so much more is there, 0 if only news can tell.
func (l *Limiter) later(t time.Duration, known bool, lack float64) time.Duration {
	if l.refill.bucket {
		missing := l.missing(t)
		if lack > missing && l.flying > 0 {
			return 0 // what fills beyond the limit is lost: holds must end first
		}
		if lack > missing && len(l.holds) > 0 {
			return l.lapses()
		}
		return l.fills(max(0, missing-lack))
	}
	at := time.Duration(math.MaxInt64)
	if l.reset > t {
		at = l.reset
	}
	if l.length > 0 && !l.opens(known) {
		if _, next := l.back(t, known); next > 0 {
			at = min(at, next+l.trip)
		}
	}
	if l.flying == 0 && len(l.holds) > 0 {
		at = min(at, l.lapses())
	}
	if l.bidden > t && !known && l.reset == 0 {
		at = min(at, l.bidden)
	}
	switch {
	case at < math.MaxInt64:
		return at
	case l.flying > 0 && (known || l.unheard > 0):
		return 0
	case l.flying > 0 && l.rolls(known):
		return max(l.retry, t+silence) // when they end
	case l.flying > 0:
		return max(l.retry, l.at+silence, t+time.Millisecond)
	}
	return max(l.retry, t+time.Millisecond)
}

// bid reports whether a refusal asked to come back by now, of a window that tells no time itself.
func (l *Limiter) bid(t time.Duration, known bool) bool {
	return l.bidden > 0 && t >= l.bidden && !known && l.reset == 0
}

// mayProbe reports whether one request may go though nothing is known to be
// left: after a reset that is not known to bring everything back, or where
// nothing tells when there will be more.
func (l *Limiter) mayProbe(t time.Duration, known bool) bool {
	switch {
	case l.refill.bucket || t < l.reset:
		return false
	case l.bid(t, known):
		return true
	case l.flying > 0 && l.reset == 0 && !l.rolls(known) && !known && l.unheard == 0:
		return t >= max(l.retry, l.at+silence) // streams tell nothing when they end
	case len(l.holds) > 0 && (known || l.unheard > 0 || l.flying == 0 || l.reset <= l.anew.at || t < l.retry):
		return false // those under way will tell
	case l.reset > l.anew.at && !l.opens(known):
		// In a rolling window the reset may be when the oldest leaves, which alone
		// brings back what is known of it.
		early := 0.0
		if known {
			early, _ = l.charges.early()
		}
		earliest, latest := l.spent.oldest(l.anew.at, l.trip, l.length, early)
		if !known && l.denials == 0 || l.reset < earliest-l.trip || l.reset > latest+l.trip {
			return t >= l.retry
		}
	case !l.rolls(known):
		return t >= l.retry
	}
	if _, next := l.back(t, known); next > 0 {
		return false
	}
	return t >= l.retry
}
