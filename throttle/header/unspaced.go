package header

import (
	"strings"
	"time"
)

// unspacedCues are the words for another attempt in languages that put no spaces between
// words, and unspacedUnits their units of time.
var (
	unspacedCues = []string{
		"重试", "再试", "重試", "再試", "稍后", "待ち", "再度", "다시", //nolint:gosmopolitan // servers write in their own language
	}
	unspacedUnits = []struct {
		name string
		unit time.Duration
	}{
		{"毫秒", time.Millisecond}, {"ミリ秒", time.Millisecond}, {"秒", time.Second}, {"초", time.Second}, //nolint:gosmopolitan // the same
		{"分", time.Minute}, {"분", time.Minute}, {"小时", time.Hour}, {"小時", time.Hour}, {"時間", time.Hour}, {"시간", time.Hour}, //nolint:gosmopolitan // the same
	}
)

// waitUnspaced finds when to come back in a text without spaces between the words: a
// number with a unit of time behind it, beside a word for another attempt.
func waitUnspaced(text string) (Reset, bool) {
	if !containsAny(text, unspacedCues) {
		return Reset{}, false
	}
	for i := 0; i < len(text); i++ {
		if !isDigit(text[i]) {
			continue
		}
		n, rest, ok := scanNumber(text[i:])
		for i+1 < len(text) && isDigit(text[i+1]) {
			i++
		}
		if rest = strings.TrimLeft(rest, " "); !ok {
			continue
		}
		for _, u := range unspacedUnits {
			if strings.HasPrefix(rest, u.name) {
				if d, ok := n.times(u.unit); ok && d < maxDelta*time.Second {
					return Reset{In: d, Resolution: n.step(u.unit)}, true
				}
			}
		}
	}
	return Reset{}, false
}
