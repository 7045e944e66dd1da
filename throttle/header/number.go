package header

import (
	"math"
	"time"
)

// number is a decimal number as a header spells it. It keeps the integer and
// the fraction apart, so that an epoch with nanoseconds does not pass through
// a float64, which would lose them.
type number struct {
	whole  int64 // the digits before the point, without the sign
	nanos  int64 // the digits after the point, in 1e-9, cut off after nine
	digits int   // how many digits there were after the point
	minus  bool
}

// maxWhole bounds the integer part: no count, instant or delay that means
// anything is longer than nanoseconds since the epoch.
const maxWhole = math.MaxInt64 / 10

// parseNumber reads all of s as a decimal number. It knows no exponents, no
// infinities and no hexadecimal: servers do not send them as limits.
func parseNumber(s string) (number, bool) {
	n, rest, ok := scanNumber(s)
	return n, ok && rest == ""
}

// scanNumber reads the number that s starts with and returns what follows it.
func scanNumber(s string) (n number, rest string, ok bool) {
	i := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n.minus = s[0] == '-'
		i = 1
	}
	start := i
	for ; i < len(s) && isDigit(s[i]); i++ {
		if n.whole > maxWhole-1 {
			return number{}, s, false
		}
		n.whole = n.whole*10 + int64(s[i]-'0')
	}
	whole := i - start
	if i < len(s) && s[i] == '.' {
		i++
		for step := int64(1e8); i < len(s) && isDigit(s[i]); i++ {
			n.nanos += int64(s[i]-'0') * step
			step /= 10
			n.digits++
		}
	}
	if whole+n.digits == 0 {
		return number{}, s, false
	}
	return n, s[i:], true
}

func (n number) float() float64 {
	f := float64(n.whole)
	if n.nanos != 0 {
		f += float64(n.nanos) / 1e9
	}
	if n.minus {
		return -f
	}
	return f
}

// zero reports whether the number is 0, with any sign.
func (n number) zero() bool { return n.whole == 0 && n.nanos == 0 }

// times returns the number of units as a duration. It reports false when that
// is negative or would overflow.
func (n number) times(unit time.Duration) (time.Duration, bool) {
	if n.minus && !n.zero() || n.whole >= int64(math.MaxInt64/unit)-1 {
		return 0, false
	}
	d := time.Duration(n.whole) * unit
	if n.nanos != 0 {
		// The fraction is below one, so this cannot exceed one unit.
		d += time.Duration(float64(n.nanos) * (float64(unit) / 1e9))
	}
	return d, true
}

// step returns the resolution of the notation: unit, divided by ten for every
// digit after the point, but not below a nanosecond.
func (n number) step(unit time.Duration) time.Duration {
	for range min(n.digits, 18) {
		unit /= 10
	}
	return max(unit, 1)
}

// scanThousands reads 1,234,567.89. Decimals are demanded: without them
// "100,200" is a list of two numbers.
func scanThousands(s string) (number, string, bool) {
	var plain [32]byte
	k, group, seen, point := 0, 0, false, false
	for i := range len(s) {
		switch c := s[i]; {
		case k == len(plain):
			return number{}, s, false
		case isDigit(c):
			plain[k] = c
			k++
			group++
		case c == ',' && !point && (group == 3 || !seen && group > 0 && group < 3):
			seen, group = true, 0
		case c == '.' && !point && group == 3:
			plain[k] = c
			k++
			point = true
		default:
			return number{}, s, false
		}
	}
	if !point {
		return number{}, s, false
	}
	return scanNumber(string(plain[:k]))
}
