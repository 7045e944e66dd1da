package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// show returns a text that a terminal can show: in one line, without control
// characters, and not too long.
func show(text string) string {
	const longest = 120
	var b strings.Builder
	n := 0
	for _, c := range text {
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

// span returns a duration in the two largest units that it has.
func span(d time.Duration) string {
	if d < time.Minute {
		d = max(d.Round(100*time.Millisecond), 0)
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	}
	s := int64((d + time.Second - 1) / time.Second)
	switch {
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
