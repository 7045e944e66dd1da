// Package words writes names and durations for people to read, on pages and in terminals.
package words

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Clean returns a name that can be shown: in one line, of at most so many characters, and
// without those that are invisible, control a terminal, or change the direction of others.
func Clean(name string, longest int) string {
	var b strings.Builder
	n := 0
	for _, c := range name {
		if n++; n > longest {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(c) {
			c = unicode.ReplacementChar
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Duration returns a duration in the two largest units that it has, rounded up from ten
// seconds on.
func Duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(d.Milliseconds(), 1))
	case d < 10*time.Second:
		return strings.Replace(fmt.Sprintf("%.1f s", d.Seconds()), ".0 ", " ", 1)
	}
	s := int64((d-1)/time.Second) + 1
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 86400:
		return two(s/3600, "h", s%3600/60, "min")
	}
	return two(s/86400, "d", s%86400/3600, "h")
}

func two(n int64, unit string, rest int64, smaller string) string {
	if rest == 0 {
		return fmt.Sprintf("%d %s", n, unit)
	}
	return fmt.Sprintf("%d %s %d %s", n, unit, rest, smaller)
}
