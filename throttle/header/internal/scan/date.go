package scan

import "time"

// ParseDate reads an instant in any of the notations seen in rate-limit fields
// and returns it with its resolution. See RFC 9110 section 5.6.7 for the three
// HTTP dates and RFC 3339 for the ISO ones.
func ParseDate(s string) (time.Time, time.Duration, bool) {
	if s == "" || len(s) > MaxDate {
		return time.Time{}, 0, false
	}
	if IsDigit(s[0]) {
		if len(s) >= 10 && s[4] == '/' && s[7] == '/' { // 2026/03/01
			return parseISO(s[:4] + "-" + s[5:7] + "-" + s[8:])
		}
		if len(s) > 11 && s[4] == '-' && IsLetter(s[5]) && s[8] == '-' { // 2026-Mar-01
			if m := monthOf(s[5], s[6], s[7]); m > 0 {
				return parseISO(s[:5] + string([]byte{'0' + byte(m/10), '0' + byte(m%10)}) + s[8:])
			}
		}
		return parseISO(s)
	}
	if t, ok := ParseIMF(s); ok {
		return t, time.Second, true
	}
	return parseLongDate(s)
}

// MaxDate bounds the dates that are looked at. JavaScript writes the name of the zone
// out, in the language of the server.
const MaxDate = 128

// ParseIMF reads "Mon, 02 Jan 2006 15:04:05 GMT", also with the zone UTC, which
// Go programs send by mistake. The weekday is not looked at: it adds nothing
// and is sometimes wrong.
func ParseIMF(s string) (time.Time, bool) {
	if len(s) != 29 || s[3] != ',' || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' ||
		s[16] != ' ' || s[19] != ':' || s[22] != ':' || s[25] != ' ' {
		return time.Time{}, false
	}
	if zone := s[26:]; zone != "GMT" && zone != "UTC" {
		return time.Time{}, false
	}
	month := monthOf(s[8], s[9], s[10])
	// One check for all the digits: a byte that is none makes bad 10 or more.
	digit := func(i int) int { return int(s[i] - '0') }
	bad := max(digit(5), digit(6), digit(12), digit(13), digit(14), digit(15),
		digit(17), digit(18), digit(20), digit(21), digit(23), digit(24))
	if bad > 9 || month == 0 {
		return time.Time{}, false
	}
	pair := func(i int) int { return digit(i)*10 + digit(i+1) }
	return dateOf(pair(12)*100+pair(14), month, pair(5), pair(17), pair(20), pair(23), 0, 0)
}

// two reads two digits of s at i.
func two(s string, i int) (int, bool) {
	if i+2 > len(s) {
		return 0, false
	}
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// monthOf reads the first three letters of a month; 0 when there is none.
func monthOf(a, b, c byte) int {
	switch uint(a|0x20)<<16 | uint(b|0x20)<<8 | uint(c|0x20) {
	case 'j'<<16 | 'a'<<8 | 'n':
		return 1
	case 'f'<<16 | 'e'<<8 | 'b':
		return 2
	case 'm'<<16 | 'a'<<8 | 'r':
		return 3
	case 'a'<<16 | 'p'<<8 | 'r':
		return 4
	case 'm'<<16 | 'a'<<8 | 'y':
		return 5
	case 'j'<<16 | 'u'<<8 | 'n':
		return 6
	case 'j'<<16 | 'u'<<8 | 'l':
		return 7
	case 'a'<<16 | 'u'<<8 | 'g':
		return 8
	case 's'<<16 | 'e'<<8 | 'p':
		return 9
	case 'o'<<16 | 'c'<<8 | 't':
		return 10
	case 'n'<<16 | 'o'<<8 | 'v':
		return 11
	case 'd'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}

// dateOf checks the ranges and computes the instant, which is UTC less offset
// seconds. Arithmetic of its own, because time.Date costs three times as much
// and this runs for every response.
func dateOf(year, month, day, hour, minute, second, nanos, offset int) (time.Time, bool) {
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	// Days since 1970-01-01 in the proleptic Gregorian calendar, with years
	// that begin in March so that the leap day comes last.
	y := year
	if month <= 2 {
		y--
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yearOfEra := y - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	days := era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
	unix := int64(days)*86400 + int64(hour*3600+minute*60+second-offset)
	return time.Unix(unix, int64(nanos)).UTC(), true
}

// longDates are the notations too rare to deserve a scanner: RFC 850 and
// asctime (RFC 9110 section 5.6.7), JavaScript's Date.toString, and the US
// notation of Mashery.
var longDates = [...]string{
	"Monday, 02-Jan-06 15:04:05 MST",
	"Mon Jan _2 15:04:05 2006",
	"Mon, _2 Jan 2006 15:04:05 MST",
	"Mon, 02 Jan 2006 15:04:05 -0700",
	"Mon Jan 02 2006 15:04:05 GMT-0700",
	"Monday, January 2, 2006 03:04:05 PM MST",
	"Monday, January 2, 2006 3:04:05 PM MST",
	"Mon Jan _2 15:04:05 MST 2006",
}

func parseLongDate(s string) (time.Time, time.Duration, bool) {
	if monthOrDay := len(s) > 18 && IsLetter(s[0]) && IsLetter(s[1]) && IsLetter(s[2]); !monthOrDay {
		return time.Time{}, 0, false
	}
	// JavaScript adds the zone's name in brackets.
	for i := range len(s) {
		if s[i] == '(' {
			s = Trim(s[:i])
			break
		}
	}
	for _, layout := range longDates {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		// An unknown zone abbreviation is read as offset 0 under an invented name:
		// only these are known to be that.
		if zone, offset := t.Zone(); offset == 0 && zone != "UTC" && zone != "GMT" && zone != "" && zone != "Z" {
			return time.Time{}, 0, false
		}
		return t.UTC(), time.Second, true
	}
	return time.Time{}, 0, false
}
