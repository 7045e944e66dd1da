package when

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/phrases"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// Key reports whether the key of a JSON member says that its value is when to come
// back, by the grammar of names: retry_after, retryAfterSec, backoff_seconds, msBeforeNext,
// resetTime, rateLimitNext, next_available_at, credits_reset, window_end. unit is that of a plain number, 0
// where the key does not tell it.
func Key(key string) (unit time.Duration, ok bool) {
	if len(key) < 4 || len(key) > 48 || !mayWait(key) {
		return 0, false
	}
	var cue, aim, next, back, try, cool, left, reset, free, allowed, window, end, when, counted bool
	words := 0
	ok = forWords(key, func(w string) bool {
		words++
		switch w {
		case "reset", "resets":
			cue, reset = true, true
		case "renew", "renews", "refresh", "refreshes":
			reset = true
		case "available":
			free = true
		case "credits", "credit", "daily", "hourly", "monthly":
			counted = true
		case "retry", "wait", "backoff", "cooldown", "throttle", "throttled", "blocked", "block", "unblock", "banned", "ban",
			"refill", "replenish", "lock", "locked", "unlock", "lockout", "suspended", "penalty":
			cue = true
		case "next":
			next = true
		case "allowed":
			allowed, aim = true, aim || next
		case "try":
			try, aim = true, aim || next
		case "rate", "limit", "ratelimit", "quota", "request", "access", "attempt", "api":
			aim = aim || next || w == "limit" || w == "ratelimit"
		case "again":
			cue = cue || words > 1
		case "off":
			cue = cue || back
		case "back":
			back = true
		case "come":
			try = true
		case "cool":
			cool = true
		case "down":
			cue = cue || cool
		case "remaining", "left":
			left = true
		case "window":
			window, aim = true, aim || next
		case "end", "ends":
			end = true
		case "after", "in", "at", "time", "until", "before", "date", "timestamp", "on":
			when = true
		case "delay", "to", "for", "period", "duration", "utc", "suggested", "recommended", "header", "is", "hint", "expires", "expiry",
			"epoch", "unix", "ts", "can", "info":
			cue = cue || w == "delay" && words == 1
		case "seconds", "second", "secs", "sec", "s":
			unit = time.Second
		case "milliseconds", "millis", "ms", "msec", "millisecond":
			unit = time.Millisecond
		case "minutes", "mins", "minute":
			unit = time.Minute
		case "hours":
			unit = time.Hour
		default:
			return false
		}
		return true
	})
	cue = cue || free && (when || next || unit > 0) || // available_in; what is available is a number
		reset && when || (allowed || try) && when || window && end
	return unit, ok && (reset || !counted) && (cue && (words > 1 || key[0]|0x20 == 'r') ||
		next && (aim || when && unit > 0) || left && unit > 0)
}

// NestedKey is Key for a member whose object is named for the wait: "retryAfter": {"seconds": 12},
// "retryInfo": {"delay": "30s"}.
func NestedKey(object, key string) (unit time.Duration, ok bool) {
	if len(key) > 12 || len(object) > 24 || !mayWait(object) {
		return 0, false
	}
	return Key(object + "_" + key)
}

// mayWait is a cheap test that most keys fail.
func mayWait(key string) bool {
	for i := range len(key) - 2 {
		switch string([]byte{scan.Lower(key[i]), scan.Lower(key[i+1]), scan.Lower(key[i+2])}) {
		case "ret", "res", "wai", "bac", "coo", "thr", "blo", "nex", "ban", "ref", "ava", "rep", "aga", "sec", "rem",
			"try", "lef", "loc", "sus", "pen", "del", "ren", "end", "all":
			return true
		}
	}
	return false
}

// forWords calls yield with the words of a key in lower case until it returns false,
// and reports whether it never did. Capitals, dashes, underscores and dots begin words.
func forWords(key string, yield func(string) bool) bool {
	var buf [48]byte
	n := 0
	for i := range len(key) {
		c := key[i]
		split := c == '-' || c == '_' || c == '.' || c == ' '
		if n > 0 && (split || c >= 'A' && c <= 'Z' && phrases.StartsWord(key, i)) {
			if !yield(string(buf[:n])) {
				return false
			}
			n = 0
		}
		if !split {
			buf[n] = scan.Lower(c)
			n++
		}
	}
	return n == 0 || yield(string(buf[:n]))
}
