package page

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/words"
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

// text describes an entry in words.
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
			b.WriteString(" after " + words.Duration(e.delay))
		}
		e.after(&b)
	case client.EventGiveUp:
		b.WriteString(" given up")
		e.because(&b)
		e.after(&b)
	case client.EventStoreAway:
		b.WriteString("The fleet's store does not answer")
	case client.EventStoreBack:
		b.WriteString("The fleet's store answers again")
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

// longest is the maximum length of a name that is shown, in characters.
const longest = 80

// clean returns a name that can be shown.
func clean(name string) string { return words.Clean(name, longest) }
