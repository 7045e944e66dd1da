package page

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
)

// reason says in a few words why a request was sent again or given up. It never
// repeats the text of an error, which may quote a URL and so a credential.
func reason(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, client.ErrMaxWait):
		return "it would have had to wait longer than allowed"
	case errors.Is(err, client.ErrNoWait):
		return "it was not to wait"
	case errors.Is(err, client.ErrFull):
		return "the queue is full"
	case errors.Is(err, client.ErrDropped):
		return "it made room for a newer one"
	case errors.Is(err, client.ErrCircuitOpen):
		return "the circuit is open"
	case errors.Is(err, client.ErrClosed):
		return "the client is closed"
	case errors.Is(err, context.DeadlineExceeded):
		return "it could not go before its deadline"
	case errors.Is(err, context.Canceled):
		return "the caller canceled it"
	}
	if _, ok := errors.AsType[*backoff.StopError](err); ok {
		return "no retry was left"
	}
	return "of a network error"
}

// text says what an entry is about.
func (e *entry) text() string {
	var b strings.Builder
	b.WriteString(clean(e.method))
	switch e.kind {
	case client.EventWait:
		b.WriteString(" waits")
		e.because(&b)
		if e.ahead > 0 {
			fmt.Fprintf(&b, ", %d ahead", e.ahead)
		}
	case client.EventRefuse:
		fmt.Fprintf(&b, " refused with status %d", e.status)
		e.because(&b)
	case client.EventLearn:
		b.Reset()
		b.WriteString("New limits seen")
	case client.EventRetry:
		b.WriteString(" is retried")
		if e.delay > 0 {
			b.WriteString(" after " + clock(e.delay))
		}
		e.after(&b)
	case client.EventGiveUp:
		b.WriteString(" given up")
		e.because(&b)
		e.after(&b)
	default:
		b.WriteString(" " + string(e.kind))
	}
	if !e.until.IsZero() && e.kind != client.EventRetry {
		b.WriteString(", until " + e.until.Format(time.TimeOnly))
	}
	if e.times > 1 {
		fmt.Fprintf(&b, " (%d times)", e.times)
	}
	return b.String()
}

// because names the limit.
func (e *entry) because(b *strings.Builder) {
	if e.limit != "" {
		fmt.Fprintf(b, " for limit %s", clean(e.limit))
	}
}

// after says why.
func (e *entry) after(b *strings.Builder) {
	switch {
	case e.why != "":
		b.WriteString(" because " + strings.TrimPrefix(e.why, "because "))
	case e.status > 0:
		fmt.Fprintf(b, " because of status %d", e.status)
	}
}

// longest is how much of a name is shown, in characters.
const longest = 80

// clean returns a name that can be shown: short, in one line, and without characters
// that are invisible or change the direction of others.
func clean(name string) string {
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

// clock returns a duration in the two largest units that it has.
func clock(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(d.Milliseconds(), 1))
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int64((d + time.Second - 1) / time.Second)
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
