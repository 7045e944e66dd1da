package scan

import "time"

// parseISO reads RFC 3339 and what servers make of it: a space for the T, no
// seconds, any number of decimals, an offset without colon, Ruby's and Go's
// " +0200 CEST", no zone (then it is UTC), or only the date.
func parseISO(s string) (time.Time, time.Duration, bool) {
	bad := func() (time.Time, time.Duration, bool) { return time.Time{}, 0, false }
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return bad()
	}
	century, ok1 := two(s, 0)
	year, ok2 := two(s, 2)
	month, ok3 := two(s, 5)
	day, ok4 := two(s, 8)
	if !(ok1 && ok2 && ok3 && ok4) {
		return bad()
	}
	year += century * 100
	if len(s) == 10 {
		t, ok := dateOf(year, month, day, 0, 0, 0, 0, 0)
		return t, 24 * time.Hour, ok
	}
	hour, ok1 := two(s, 11)
	minute, ok2 := two(s, 14)
	if sep := s[10]; sep != 'T' && sep != 't' && sep != ' ' || !ok1 || !ok2 || s[13] != ':' {
		return bad()
	}
	rest, step := s[16:], time.Minute
	second, nanos := 0, 0
	if rest != "" && rest[0] == ':' {
		n, tail, ok := CutNumber(rest[1:])
		if !ok || n.Minus || n.Whole > 60 || len(rest) < 3 || !IsDigit(rest[1]) || !IsDigit(rest[2]) {
			return bad()
		}
		second, nanos = int(n.Whole), int(n.Nanos)
		rest, step = tail, n.Step(time.Second)
	}
	offset, ok := parseZone(rest)
	if !ok {
		return bad()
	}
	t, ok := dateOf(year, month, day, hour, minute, second, nanos, offset)
	return t, step, ok
}

// parseZone reads what follows the time of day: nothing, Z, UTC, GMT, +02:00,
// +0200, or Go's " +0200 CEST m=+0.01", where only the offset counts.
func parseZone(s string) (offset int, ok bool) {
	s = Trim(s)
	switch s {
	case "", "Z", "z", "UTC", "GMT":
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, ok := two(s, 1)
	if !ok || hours > 23 {
		return 0, false
	}
	rest := s[3:]
	if rest != "" && rest[0] == ':' {
		rest = rest[1:]
	}
	minutes := 0
	if rest != "" && IsDigit(rest[0]) {
		if minutes, ok = two(rest, 0); !ok || minutes > 59 {
			return 0, false
		}
		rest = rest[2:]
	}
	if rest != "" && rest[0] != ' ' {
		return 0, false
	}
	offset = hours*3600 + minutes*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}
