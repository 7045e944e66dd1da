package header

import "time"

// waitKey reports whether the key of a JSON member says that its value is when to come
// back, by the grammar of names: retry_after, retryAfterSec, backoff_seconds,
// resetTime, rateLimitNext, next_available_at. unit is that of a plain number, 0
// where the key does not tell it.
func waitKey(key string) (unit time.Duration, ok bool) {
	if len(key) < 4 || len(key) > 48 || !mayWait(key) {
		return 0, false
	}
	var cue, aim, next, back bool
	words := 0
	ok = forWords(key, func(w string) bool {
		words++
		switch w {
		case "retry", "reset", "resets", "wait", "backoff", "cooldown", "throttle", "throttled", "blocked", "block", "unblock", "banned", "ban",
			"refill", "available", "replenish":
			cue = true
		case "next":
			next = true
		case "rate", "limit", "ratelimit", "quota", "request", "access", "allowed", "attempt", "try", "api":
			aim = aim || next || w == "limit" || w == "ratelimit"
		case "again":
			cue = cue || words > 1
		case "off":
			cue = cue || back
		case "back":
			back = true
		case "after", "in", "delay", "at", "time", "until", "to", "for", "date", "timestamp", "period", "remaining", "duration", "left",
			"utc", "on", "suggested", "recommended", "header", "window", "is", "hint", "expires", "expiry":
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
	return unit, ok && (cue && (words > 1 || key[0]|0x20 == 'r') || next && aim)
}

// mayWait is a cheap test that most keys fail.
func mayWait(key string) bool {
	for i := range len(key) - 2 {
		switch string([]byte{lower(key[i]), lower(key[i+1]), lower(key[i+2])}) {
		case "ret", "res", "wai", "bac", "coo", "thr", "blo", "nex", "ban", "ref", "ava", "rep", "aga":
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
		if n > 0 && (split || c >= 'A' && c <= 'Z' && startsWord(key, i)) {
			if !yield(string(buf[:n])) {
				return false
			}
			n = 0
		}
		if !split {
			buf[n] = lower(c)
			n++
		}
	}
	return n == 0 || yield(string(buf[:n]))
}
