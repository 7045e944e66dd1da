package header

import (
	"strings"
	"time"
)

// waitInProse finds the wait in "Try again in 2 seconds", "retry after 30",
// "Quota will be replenished in 02:12:08" and the like. "A few minutes" is at least one.
func waitInProse(text string, _ time.Time) (Reset, bool) {
	low := strings.ToLower(text)
	start := -1
	for _, cue := range [...]string{"try again", "retry", "replenished", "please wait", "available", "wait for"} {
		if i := strings.Index(low, cue); i >= 0 && (start < 0 || i < start) {
			start = i
		}
	}
	if start < 0 {
		return Reset{}, false
	}
	low = low[start:min(len(low), start+120)]
	if strings.Contains(low, "a few minutes") {
		return Reset{In: time.Minute, Resolution: time.Minute}, true
	}
	words := strings.FieldsFunc(low, func(c rune) bool { return c == ' ' || c == ',' || c == '"' || c == '\n' || c == '<' })
	for i, w := range words {
		switch w {
		case "in", "after", "wait", "for":
			if t, ok := leadingWait(words[i+1:], w == "after"); ok {
				return t, true
			}
		}
	}
	return Reset{}, false
}

// leadingWait reads the length of time that a text starts with. Without a unit it
// is seconds, if the word before leaves no doubt.
func leadingWait(words []string, seconds bool) (Reset, bool) {
	if len(words) == 0 || !isDigit(firstByte(words[0])) {
		return Reset{}, false
	}
	one := strings.TrimRight(words[0], ".!)")
	if d, step, ok := parseDuration(one); ok {
		return Reset{In: d, Resolution: step}, true
	}
	if len(words) > 1 {
		if d, step, ok := parseDuration(one + strings.TrimRight(words[1], ".!)")); ok {
			return Reset{In: d, Resolution: step}, true
		}
	}
	if n, ok := parseNumber(one); ok && seconds && n.whole <= maxDelta {
		return resetOf(n, time.Second)
	}
	return Reset{}, false
}
