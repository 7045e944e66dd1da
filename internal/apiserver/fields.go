package apiserver

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// announce writes the fields of d for windows as they are at now. A window
// without a reset leaves out what would tell it.
func (d Dialect) announce(h http.Header, windows []ratemodel.Window, now time.Time, offset time.Duration) {
	if len(windows) == 0 {
		return
	}
	tight := tightest(windows)
	if d.Fields&XRateLimit != 0 {
		three(h, family{"X-RateLimit-", ""}, tight, d.moment(tight.Reset, now, offset))
	}
	if d.Fields&Suffixed != 0 {
		for _, w := range windows {
			three(h, family{"X-RateLimit-", w.Name}, w, d.moment(w.Reset, now, offset))
		}
	}
	if d.Fields&Draft03 != 0 {
		three(h, family{"RateLimit-", ""}, tight, delay(tight.Reset, now, d.Rounding))
	}
	if d.Fields&Policy != 0 {
		h["Ratelimit-Policy"] = []string{policies(windows)}
	}
	if d.Fields&Draft07 != 0 {
		h["Ratelimit"] = []string{dictionary(tight, delay(tight.Reset, now, d.Rounding))}
	}
	if d.Fields&Structured != 0 {
		d.structured(h, windows, now)
	}
}

// three writes limit, remaining and reset.
func three(h http.Header, f family, w ratemodel.Window, reset string) {
	n := f.names()
	h[n.limit] = []string{strconv.Itoa(w.Limit)}
	h[n.remaining] = []string{strconv.Itoa(w.Remaining)}
	if reset != "" {
		h[n.reset] = []string{reset}
	}
}

// family is what the names of three fields have in common.
type family struct{ prefix, window string }

type names struct{ limit, remaining, reset string }

// known holds the names of each family seen. To put nine of them together for
// every response would be the dearest part of a long run in virtual time.
var known sync.Map // of family to *names

// names returns the names in canonical case, as a client gets them from net/http.
func (f family) names() *names {
	if n, ok := known.Load(f); ok {
		return n.(*names)
	}
	suffix := ""
	if f.window != "" {
		suffix = "-" + f.window
	}
	full := func(role string) string { return http.CanonicalHeaderKey(f.prefix + role + suffix) }
	n, _ := known.LoadOrStore(f, &names{full("Limit"), full("Remaining"), full("Reset")})
	return n.(*names)
}

// moment writes a reset in the form of the X- fields.
func (d Dialect) moment(reset, now time.Time, offset time.Duration) string {
	if reset.IsZero() || d.Form == Delta {
		return delay(reset, now, d.Rounding)
	}
	return seconds(reset.Add(offset).UnixNano(), d.Rounding)
}

// delay writes the time from now to a reset, "" if there is none.
func delay(reset, now time.Time, r Rounding) string {
	if reset.IsZero() {
		return ""
	}
	return seconds(int64(reset.Sub(now)), r)
}

// seconds writes nanoseconds, which are not negative, in seconds.
func seconds(ns int64, r Rounding) string {
	s, rest := ns/int64(time.Second), ns%int64(time.Second)
	switch r {
	case Ceil:
		if rest > 0 {
			s++
		}
	case Nearest:
		if rest >= int64(time.Second)/2 {
			s++
		}
	case Exact:
		ms := (ns + int64(time.Millisecond) - 1) / int64(time.Millisecond)
		return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64)
	}
	return strconv.FormatInt(s, 10)
}

// tightest returns the window with the fewest requests remaining, the longest
// of them if there are several. Kong's generic fields choose so.
func tightest(windows []ratemodel.Window) ratemodel.Window {
	t := windows[0]
	for _, w := range windows[1:] {
		if w.Remaining < t.Remaining || w.Remaining == t.Remaining && w.Length > t.Length {
			t = w
		}
	}
	return t
}

func policies(windows []ratemodel.Window) string {
	var b []byte
	for i, w := range windows {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, int64(w.Limit), 10)
		b = appendLength(b, w.Length)
	}
	return string(b)
}

func dictionary(w ratemodel.Window, reset string) string {
	s := "limit=" + strconv.Itoa(w.Limit) + ", remaining=" + strconv.Itoa(w.Remaining)
	if reset != "" {
		s += ", reset=" + reset
	}
	return s
}

func (d Dialect) structured(h http.Header, windows []ratemodel.Window, now time.Time) {
	rounding := d.Rounding
	if rounding == Exact {
		rounding = Ceil
	}
	var state, policy []byte
	for i, w := range windows {
		if i > 0 {
			state, policy = append(state, ", "...), append(policy, ", "...)
		}
		name := w.Name
		if name == "" {
			name = "default"
		}
		state = append(strconv.AppendQuote(state, name), ";r="...)
		state = strconv.AppendInt(state, int64(w.Remaining), 10)
		if t := delay(w.Reset, now, rounding); t != "" {
			state = append(append(state, ";t="...), t...)
		}
		policy = append(strconv.AppendQuote(policy, name), ";q="...)
		policy = strconv.AppendInt(policy, int64(w.Limit), 10)
		policy = appendLength(policy, w.Length)
	}
	h["Ratelimit"] = []string{string(state)}
	h["Ratelimit-Policy"] = []string{string(policy)}
}

// appendLength appends the parameter w. It is in whole seconds, so a window that
// has none cannot tell its length.
func appendLength(b []byte, length time.Duration) []byte {
	if length%time.Second != 0 {
		return b
	}
	return strconv.AppendInt(append(b, ";w="...), int64(length/time.Second), 10)
}
