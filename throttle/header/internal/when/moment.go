package when

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/phrases"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// clockMoment reads the time of a day by a clock whose zone stands beside it, and returns
// the next moment at which that clock shows it: midnight UTC, 00:00 UTC, midnight Pacific
// time, 8pm (America/New_York), the next hour. A time without a zone is by a clock that
// the reader does not know.
func clockMoment(words []string, base time.Time) (Reset, bool) {
	if len(words) > maxClockWords {
		words = words[:maxClockWords]
	}
	var loc *time.Location
	clock, found, hourly := time.Duration(0), false, false
	for i, w := range words {
		ends := strings.HasSuffix(w, ".") || strings.HasSuffix(w, ";")
		w = strings.Trim(w, ".!;:)]}[")
		switch {
		case w == "hour" && i > 0 && strings.Trim(words[i-1], ".") == "next":
			hourly = true
		case isClockFiller(w):
		case !found && isClock(w, &clock):
			found = true
		case loc == nil && isZone(w, words[i+1:], ends):
			if loc = zoneOf(w); loc == nil {
				ends = true
			}
		default:
			ends = true
		}
		if ends || hourly {
			break
		}
	}
	base = base.UTC()
	if hourly {
		return Reset{At: base.Truncate(time.Hour).Add(time.Hour), Resolution: time.Second}, true
	}
	if !found || loc == nil {
		return Reset{}, false
	}
	// The hour is set as a date is, since days have 23 or 25 hours when clocks change.
	local := base.In(loc)
	hour, minute, second := int(clock/time.Hour), int(clock/time.Minute)%60, int(clock/time.Second)%60
	t := time.Date(local.Year(), local.Month(), local.Day(), hour, minute, second, 0, loc)
	if !t.After(base) {
		t = time.Date(local.Year(), local.Month(), local.Day()+1, hour, minute, second, 0, loc)
	}
	return Reset{At: t.UTC(), Resolution: time.Second}, t.After(base)
}

// maxClockWords is how many words may tell a time of a day and its zone.
const maxClockWords = 8

// isClockFiller reports whether a word may stand between a time of a day and its zone.
func isClockFiller(w string) bool {
	switch w {
	case "the", "next", "each", "every", "day", "daily", "at", "on", "in", "time", "start", "beginning", "top", "of", "tomorrow", "timezone", "":
		return true
	}
	return false
}

// isClock reads a time of a day in one word: midnight, noon, 00:00, 8pm, 8:30pm.
func isClock(w string, clock *time.Duration) bool {
	switch w {
	case "midnight":
		*clock = 0
		return true
	case "noon":
		*clock = 12 * time.Hour
		return true
	}
	for _, layout := range [...]string{"15:04:05", "15:04", "3pm", "3:04pm"} {
		if t, err := time.Parse(layout, w); err == nil {
			*clock = t.Sub(t.Truncate(scan.Day))
			return true
		}
	}
	return false
}

// zones are the words for time zones that servers use, with the name of the zone, or with
// its offset in winter where the system has no time zones.
var zones = map[string]struct {
	name   string
	offset int // hours
}{
	"utc": {"UTC", 0}, "gmt": {"UTC", 0}, "z": {"UTC", 0},
	"pacific": {"America/Los_Angeles", -8}, "pt": {"America/Los_Angeles", -8}, "pst": {"America/Los_Angeles", -8}, "pdt": {"America/Los_Angeles", -8},
	"mountain": {"America/Denver", -7}, "mst": {"America/Denver", -7}, "mdt": {"America/Denver", -7},
	"central": {"America/Chicago", -6}, "cst": {"America/Chicago", -6}, "cdt": {"America/Chicago", -6},
	"eastern": {"America/New_York", -5}, "est": {"America/New_York", -5}, "edt": {"America/New_York", -5},
	"cet": {"Europe/Berlin", 1}, "cest": {"Europe/Berlin", 1}, "jst": {"Asia/Tokyo", 9},
}

// isZone reports whether a word may name a time zone. A region does only with the word time
// behind it, or nothing: there is a place called Mountain View.
func isZone(w string, next []string, ends bool) bool {
	switch w {
	case "pacific", "mountain", "central", "eastern":
		if ends || len(next) == 0 {
			return true
		}
		switch strings.TrimRight(next[0], ".!;:)]}") {
		case "time", "standard", "daylight":
			return true
		}
		return false
	}
	return true
}

// zoneOf returns the time zone of a word in lower case, nil if it names none.
func zoneOf(w string) *time.Location {
	if z, ok := zones[w]; ok {
		if loc, err := time.LoadLocation(z.name); err == nil {
			return loc
		}
		return time.FixedZone(z.name, z.offset*3600)
	}
	area, city, ok := strings.Cut(w, "/")
	if !ok || len(w) > 32 || area == "" || city == "" {
		return nil
	}
	// Names of zones have capitals, which a file system may care for.
	name := []byte(w)
	for i, c := range name {
		switch {
		case 'a' <= c && c <= 'z':
			if i == 0 || name[i-1] == '/' || name[i-1] == '_' {
				name[i] = c - 'a' + 'A'
			}
		case c != '/' && c != '_':
			return nil
		}
	}
	loc, err := time.LoadLocation(string(name))
	if err != nil {
		return nil
	}
	return loc
}

// unspacedCues are the words for another attempt in languages that put no spaces between
// words, and unspacedUnits their units of time.
var (
	unspacedCues = []string{
		"重试", "再试", "重試", "再試", "稍后", "待ち", "再度", "もう一度", "等待", "다시", //nolint:gosmopolitan // servers write in their own language
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
	if !phrases.ContainsAny(text, unspacedCues) {
		return Reset{}, false
	}
	for i := 0; i < len(text); i++ {
		if !scan.IsDigit(text[i]) {
			continue
		}
		n, rest, ok := scan.CutNumber(text[i:])
		for i+1 < len(text) && scan.IsDigit(text[i+1]) {
			i++
		}
		if rest = strings.TrimLeft(rest, " "); !ok {
			continue
		}
		for _, u := range unspacedUnits {
			if strings.HasPrefix(rest, u.name) {
				if d, ok := n.Times(u.unit); ok && d < MaxDelta*time.Second {
					return Reset{In: d, Resolution: n.Step(u.unit)}, true
				}
			}
		}
	}
	return Reset{}, false
}
