package scan

import "time"

// ParseDuration reads a length of time written with units: Go's "6m0s" and
// "1.5s", a protocol buffer's "57.2s", "60 seconds", "1 minute", "1d", and the
// clock form "00:01:30" or "2.12:08:11" of .NET. It returns the step of the
// last unit as the resolution. A plain number is not a duration.
func ParseDuration(s string) (d, step time.Duration, ok bool) {
	if len(s) > 2 && s[0]|0x20 == 'p' && len(s) <= 64 {
		return parseISODuration(s)
	}
	if s == "" || len(s) > 64 || !IsDigit(s[0]) && s[0] != '.' {
		return 0, 0, false
	}
	if d, ok := parseClock(s); ok {
		return d, time.Second, true
	}
	for s != "" {
		n, rest, ok := CutNumber(s)
		if !ok || n.Minus {
			return 0, 0, false
		}
		rest = Trim(rest)
		end := 0
		for end < len(rest) && (IsLetter(rest[end]) || rest[end] >= 0x80) {
			end++
		}
		unit := UnitOf(rest[:end])
		if unit == 0 {
			return 0, 0, false
		}
		part, ok := n.Times(unit)
		if !ok || d+part < d {
			return 0, 0, false
		}
		d += part
		step = n.Step(unit)
		s = Trim(rest[end:])
	}
	return d, step, true
}

// parseISODuration reads ISO 8601's PT1H30M and P1DT12H. A month is 30 days, and years
// are no lengths of windows.
func parseISODuration(s string) (d, step time.Duration, ok bool) {
	clock := false
	for s = s[1:]; s != ""; {
		if s[0]|0x20 == 't' && !clock {
			clock, s = true, s[1:]
			continue
		}
		n, rest, found := CutNumber(s)
		if !found || n.Minus || rest == "" || s[0] == '+' {
			return 0, 0, false
		}
		var unit time.Duration
		switch c := rest[0] | 0x20; {
		case c == 's' && clock:
			unit = time.Second
		case c == 'm' && clock:
			unit = time.Minute
		case c == 'h' && clock:
			unit = time.Hour
		case c == 'd' && !clock:
			unit = Day
		case c == 'w' && !clock:
			unit = 7 * Day
		case c == 'm':
			unit = Month
		default:
			return 0, 0, false
		}
		part, fits := n.Times(unit)
		if !fits || d+part < d {
			return 0, 0, false
		}
		d, step, ok = d+part, n.Step(unit), true
		s = rest[1:]
	}
	return d, step, ok
}

// UnitOf returns the length of a unit of time by any of its names, 0 when it
// is none. "m" is a minute, as in Go: no server measures in months.
func UnitOf(word string) time.Duration {
	if len(word) > 16 {
		return 0
	}
	var buf [16]byte
	for i := range len(word) {
		buf[i] = Lower(word[i])
	}
	switch string(buf[:len(word)]) {
	case "ns", "nanos", "nanosecond", "nanoseconds":
		return time.Nanosecond
	case "us", "µs", "μs", "micros", "microsecond", "microseconds":
		return time.Microsecond
	case "ms", "msec", "msecs", "millis", "milli", "millisecond", "milliseconds":
		return time.Millisecond
	case "s", "sec", "secs", "second", "seconds":
		return time.Second
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return Day
	case "w", "week", "weeks":
		return 7 * Day
	case "mo", "month", "months":
		return Month
	}
	return 0
}

// Day, Month and Year are the long units of time.
const (
	Day   = 24 * time.Hour
	Month = 30 * Day // by the convention of the field; no server tells which month it means
	Year  = 365 * Day
)

// parseClock reads [d.]hh:mm:ss[.fraction].
func parseClock(s string) (time.Duration, bool) {
	days := time.Duration(0)
	for i := range min(len(s), 5) {
		if s[i] == '.' && i > 0 && len(s) > i+3 && s[i+3] == ':' {
			n, ok := ParseNumber(s[:i])
			if !ok || n.Whole > 9999 {
				return 0, false
			}
			days, s = time.Duration(n.Whole)*Day, s[i+1:]
			break
		}
	}
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return 0, false
	}
	h, ok1 := two(s, 0)
	m, ok2 := two(s, 3)
	n, ok3 := ParseNumber(s[6:])
	if !ok1 || !ok2 || !ok3 || n.Minus || n.Whole > 60 {
		return 0, false
	}
	return days + time.Duration(h)*time.Hour + time.Duration(m)*time.Minute +
		time.Duration(n.Whole)*time.Second + time.Duration(n.Nanos), true
}
