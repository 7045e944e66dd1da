package when

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/phrases"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// maxCue is how much of a text behind a cue is looked at.
const maxCue = 140

// maxCues is how many cues of a text are tried.
const maxCues = 8

// InProse finds when to come back in a sentence that is about waiting: "Try again
// in 2 seconds", "retry after 30", "Quota will be replenished in 02:12:08",
// "Retry after 2026-03-01T12:13:27.341Z", "banned until 1659146400000", "again
// after an hour". "A few minutes" is at least one.
func InProse(text string, base time.Time) (Reset, bool) {
	low := strings.ToLower(text)
	if phrases.IsCode(low) && strings.IndexByte(low, '=') < 0 {
		low = strings.ReplaceAll(low, "_", " ") // FLOOD_WAIT_30
	}
	for start, tries := 0, 0; start < len(low) && tries < maxCues; tries++ {
		next := -1
		for _, cue := range cues {
			if i := strings.Index(low[start:], cue); i >= 0 && (next < 0 || i < next) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		start += next
		if t, ok := waitBehindCue(low[start:min(len(low), start+maxCue)], base); ok {
			return t, true
		}
		start++
	}
	if t, ok := waitBeforeWord(low); ok {
		return t, true
	}
	return waitUnspaced(low)
}

// waitBeforeWord finds a length of time with a word for waiting behind it: 42 seconds
// remaining, 30s left, bitte 30 sekunden warten.
func waitBeforeWord(low string) (Reset, bool) {
	words := strings.Fields(low)
	for i, w := range words {
		if !wordsBehind[strings.TrimRight(w, ".!,;)")] || i == 0 {
			continue
		}
		if d, step, ok := scan.ParseDuration(strings.TrimLeft(words[i-1], "(~≈")); ok && d < MaxDelta*time.Second {
			return Reset{In: d, Resolution: step}, true // 30s left
		}
		if i < 2 {
			continue
		}
		unit := inEnglish(strings.Trim(words[i-1], "().,"))
		if d, step, ok := scan.ParseDuration(words[i-2] + unit); ok && scan.IsDigit(words[i-2][0]) && d > 0 && d < MaxDelta*time.Second {
			return Reset{In: d, Resolution: step}, true
		}
	}
	return Reset{}, false
}

// waitBehindCue reads the first time in a text that follows a word such as in, after, for
// or until.
func waitBehindCue(low string, base time.Time) (Reset, bool) {
	words := strings.FieldsFunc(low, func(c rune) bool {
		return c == ' ' || c == ',' || c == '"' || c == '\n' || c == '<' || c == '>' || c == '(' || c == ')' || c == '\''
	})
	for i, w := range words {
		if w == "a" && i+2 < len(words) && (words[i+1] == "few" || words[i+1] == "couple") {
			if unit := scan.UnitOf(strings.Trim(words[len(words[:i])+2], ".!;:")); unit >= time.Second {
				return Reset{In: unit, Resolution: unit}, true
			}
		}
		mark := strings.TrimRight(w, ":=")
		if wordsBefore[mark] {
			if t, ok := leadingWait(words[i+1:], mark, base); ok {
				return t, true
			}
		}
		if t, ok := namedWait(words[i:], base); ok {
			return t, true
		}
		if mark != w && len(mark) > 0 {
			if t, ok := leadingWait(words[i+1:], mark, base); ok { // next allowed request: 2026-03-01T12:00:30Z
				return t, true
			}
		}
		if key, value, ok := strings.Cut(w, "="); ok && scan.IsLetter(scan.FirstByte(key)) {
			if t, ok := leadingWait(append([]string{value}, words[i+1:]...), "after", base); ok {
				return t, true
			}
		}
	}
	return Reset{}, false
}

// namedWait reads a wait whose name tells its unit: retry-after-ms=12345,
// retry_after_ms: 7000.
func namedWait(words []string, base time.Time) (Reset, bool) {
	key, value, ok := words[0], "", false
	if i := strings.IndexAny(key, "=:"); i > 0 {
		key, value, ok = key[:i], key[i+1:], true
	}
	if ok && value == "" && len(words) > 1 {
		value = words[1]
	}
	unit, known := Key(key)
	if !ok || !known || unit == 0 {
		return Reset{}, false
	}
	n, ok := scan.ParseNumber(strings.TrimRight(value, ".!;)]}"))
	if !ok || n.Minus || n.Whole >= MinEpoch {
		return Reset{}, false
	}
	t, ok := Of(n, unit)
	return t, ok && t.Delay(base) < MaxDelta*time.Second
}

// leadingWait reads the time that a text starts with: a length with its unit, in
// one word or two, or a moment. A number without a unit is seconds or an epoch, if
// the word before leaves no doubt and no other word follows.
func leadingWait(words []string, before string, base time.Time) (Reset, bool) {
	if t, ok := clockMoment(words, base); ok {
		return t, true
	}
	for len(words) > 0 && isFiller(words[0]) {
		words = words[1:]
	}
	if len(words) == 0 {
		return Reset{}, false
	}
	one := strings.TrimLeft(words[0], "~≈<:=")
	ends := strings.TrimRight(one, ".!;:)]}") != one
	one = strings.TrimRight(one, ".!;:)]}")
	if t, ok := waitInWords(one, words); ok {
		return t, true
	}
	if t, ok := longMoment(words, base); ok {
		return t, true
	}
	if figure, ok := numbers[one]; ok {
		one = figure
	}
	words = withoutMore(words)
	if !scan.IsDigit(scan.FirstByte(one)) {
		return Reset{}, false
	}
	if t, ok := moment(one, words, base); ok {
		return t, true
	}
	if d, step, ok := scan.ParseDuration(one); ok {
		return addWait(Reset{In: d, Resolution: step}, words[1:], ends), true
	}
	if len(words) > 1 {
		unit := inEnglish(strings.TrimRight(words[1], ".!;:)]}"))
		if d, step, ok := scan.ParseDuration(one + unit); ok {
			return addWait(Reset{In: d, Resolution: step}, words[2:], strings.HasSuffix(words[1], ".")), true
		}
	}
	n, ok := scan.ParseNumber(one)
	if !ok || n.Whole > MaxDelta && n.Whole < MinEpoch {
		return Reset{}, false
	}
	if n.Whole <= MaxDelta && (before != "after" && before != "wait" && before != "retry" && before != "retry-after" && before != "retryafter" &&
		before != "retry_after" && before != "in" || len(words) > 1 && !ends) {
		return Reset{}, false
	}
	t, ok := Of(n, 0)
	return t, ok && t.Delay(base) < MaxDelta*time.Second
}

// addWait adds the smaller units that follow: 1 hour 20 minutes, 2 minutes and 5 seconds.
func addWait(t Reset, words []string, ends bool) Reset {
	for !ends && len(words) > 1 {
		if words[0] == "and" {
			words = words[1:]
			continue
		}
		one, two := strings.TrimRight(words[0], "."), strings.TrimRight(words[1], ".!;:)")
		d, step, ok := scan.ParseDuration(one)
		if ok {
			two = ""
		} else if d, step, ok = scan.ParseDuration(one + two); !ok || !scan.IsDigit(scan.FirstByte(one)) {
			break
		}
		if step >= t.Resolution || d >= t.In {
			break
		}
		t = Reset{In: t.In + d, Resolution: step}
		words = words[1:]
		if two != "" {
			ends = strings.HasSuffix(words[0], ".")
			words = words[1:]
		}
	}
	return t
}

// isFiller reports whether a word may stand before a length of time.
func isFiller(w string) bool {
	switch w {
	case "about", "approximately", "around", "at", "least", "another", "the", "next", "approx", "approx.", "~", "up", "to", "roughly", "in",
		"after", "for":
		return true
	}
	return false
}

// moment reads a date in one word, or in two or three: 2026-03-01 14:00:00 UTC.
func moment(one string, words []string, base time.Time) (Reset, bool) {
	if len(one) < 10 || one[4] != '-' && one[4] != '/' {
		return Reset{}, false
	}
	whole := strings.ToUpper(one)
	if len(one) <= 11 && len(words) > 1 && scan.IsDigit(words[1][0]) {
		whole = one + " " + strings.ToUpper(strings.TrimRight(words[1], ".!;:)"))
	}
	t, step, ok := scan.ParseDate(whole)
	if !ok || t.Unix() <= 0 || t.Sub(base) > MaxDelta*time.Second {
		return Reset{}, false
	}
	return Reset{At: t, Resolution: step}, true
}
