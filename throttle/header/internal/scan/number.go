// Package scan reads numbers, lengths of time, dates and JSON, as servers write them. What it
// reads allocates nothing, takes linear time, and never panics.
package scan

import (
	"math"
	"time"
)

// Number is a decimal number as a header spells it. It keeps the integer and
// the fraction apart, so that an epoch with nanoseconds does not pass through
// a float64, which would lose them.
type Number struct {
	Whole  int64 // the digits before the point, without the sign
	Nanos  int64 // the digits after the point, in 1e-9, cut off after nine
	Digits int   // how many digits there were after the point
	Minus  bool
}

// maxWhole bounds the integer part: no count, instant or delay that means
// anything is longer than nanoseconds since the epoch.
const maxWhole = math.MaxInt64 / 10

// ParseNumber reads all of s as a decimal number. It knows no exponents, no
// infinities and no hexadecimal: servers do not send them as limits.
func ParseNumber(s string) (Number, bool) {
	n, rest, ok := CutNumber(s)
	return n, ok && rest == ""
}

// CutNumber reads the number that s starts with and returns what follows it.
func CutNumber(s string) (n Number, rest string, ok bool) {
	i := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n.Minus = s[0] == '-'
		i = 1
	}
	start := i
	for ; i < len(s) && IsDigit(s[i]); i++ {
		if n.Whole > maxWhole-1 {
			return Number{}, s, false
		}
		n.Whole = n.Whole*10 + int64(s[i]-'0')
	}
	whole := i - start
	if i < len(s) && s[i] == '.' {
		i++
		for step := int64(1e8); i < len(s) && IsDigit(s[i]); i++ {
			n.Nanos += int64(s[i]-'0') * step
			step /= 10
			n.Digits++
		}
	}
	if whole+n.Digits == 0 {
		return Number{}, s, false
	}
	return n, s[i:], true
}

// Float returns the number as a float64.
func (n Number) Float() float64 {
	f := float64(n.Whole)
	if n.Nanos != 0 {
		f += float64(n.Nanos) / 1e9
	}
	if n.Minus {
		return -f
	}
	return f
}

// Zero reports whether the number is 0, with any sign.
func (n Number) Zero() bool { return n.Whole == 0 && n.Nanos == 0 }

// Times returns the number of units as a duration. It reports false when that
// is negative or would overflow.
func (n Number) Times(unit time.Duration) (time.Duration, bool) {
	if n.Minus && !n.Zero() || n.Whole >= int64(math.MaxInt64/unit)-1 {
		return 0, false
	}
	d := time.Duration(n.Whole) * unit
	if n.Nanos != 0 {
		// The fraction is below one, so this cannot exceed one unit.
		d += time.Duration(float64(n.Nanos) * (float64(unit) / 1e9))
	}
	return d, true
}

// Step returns the resolution of the notation: unit, divided by ten for every
// digit after the point, but not below a nanosecond.
func (n Number) Step(unit time.Duration) time.Duration {
	for range min(n.Digits, 18) {
		unit /= 10
	}
	return max(unit, 1)
}

// CutThousands reads 1,234,567.89. Decimals are demanded: without them
// "100,200" is a list of two numbers.
func CutThousands(s string) (Number, string, bool) {
	var plain [32]byte
	k, group, seen, point := 0, 0, false, false
	for i := range len(s) {
		switch c := s[i]; {
		case k == len(plain):
			return Number{}, s, false
		case IsDigit(c):
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
			return Number{}, s, false
		}
	}
	if !point {
		return Number{}, s, false
	}
	return CutNumber(string(plain[:k]))
}
