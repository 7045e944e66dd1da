package header

import (
	"slices"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// waits collects the waits that a server names.
type waits struct {
	longest Reset // of Retry-After and its like
	known   bool
	pause   Reset // of Backoff, which is meant on any answer
	paused  bool
	meant   bool  // Retry-After is meant also on a success
	plain   int64 // Retry-After, if it is a plain number of seconds
	base    time.Time
}

// add takes the value of a field that says when to come back. What cannot be
// read counts as absent; of several, the last moment counts.
func (w *waits) add(f *names.Field, v string) {
	t, ok := parseReset(v, f.Step)
	if f.Role == names.RoleDelay {
		w.meant = true
	}
	if !ok || absurd(v, t, w.base) {
		if t, ok = literal(v, f.Step); !ok || f.Role == names.RoleBackoff {
			return
		}
	}
	if f.Role == names.RoleBackoff {
		if !w.paused || t.Delay(w.base) > w.pause.Delay(w.base) {
			w.pause, w.paused = t, true
		}
		return
	}
	if n, plain := scan.ParseNumber(v); plain && f.Step == 0 && n.Digits == 0 {
		w.plain = max(w.plain, n.Whole)
	}
	if !w.known || t.Delay(w.base) > w.longest.Delay(w.base) {
		w.longest, w.known = t, true
	}
}

// absurd reports whether a plain number asks for a wait of more than a year.
// As a delay such a number means nothing, so it does not as an epoch either: more
// likely it is in a unit that the name does not tell.
func absurd(v string, t Reset, base time.Time) bool {
	if t.At.IsZero() {
		return false
	}
	_, plain := scan.ParseNumber(scan.Unquote(scan.Trim(v)))
	return plain && t.At.Sub(base) > maxDelta*time.Second
}

// literal reads a plain number that means nothing likely as what it says: so many
// seconds, or units of the name. A wait of years means that the server turns the client
// away for good; it never means to come back at once.
func literal(v string, unit time.Duration) (Reset, bool) {
	n, plain := scan.ParseNumber(scan.Unquote(scan.Trim(v)))
	if !plain || n.Minus {
		return Reset{}, false
	}
	if unit == 0 {
		unit = time.Second
	}
	d, fits := n.Times(unit)
	if !fits || d > maxDelay {
		d = maxDelay
	}
	return Reset{In: d, Resolution: unit}, true
}

// mayRefuse reports whether a status can mean that a limit was hit.
func mayRefuse(status int) bool {
	switch status {
	case 429, 420, 430, 456, 999, 403, 503, 529, 418, 402, 401, 400, 409, 425, 509, 500:
		return true
	}
	return false
}

// judge decides whether the request was refused, and what to wait for.
func (r *Reading) judge(said *bodyFindings) {
	r.Refused = r.refused(said)
	switch {
	case r.waits.paused && (!r.waits.known || r.waits.pause.Delay(r.base()) > r.waits.longest.Delay(r.base())):
		r.setWait(r.waits.pause, true)
	case r.waits.known && (r.Refused || r.status >= 300 || r.waits.meant):
		r.setWait(r.retryAfter(), true)
	case r.Refused && r.deriveWait():
	case said.waitKnown && (r.Refused || said.onSuccess):
		r.setWait(said.wait, true)
	case said.proseKnown && r.Refused:
		r.setWait(said.prose, true)
	}
	if r.Refused {
		r.Reason = r.reason(said)
	}
	r.Paused = !r.Refused && r.status < 300 && r.Wait.Explicit && r.Wait.Delay > 0
}

// reason says what a refused request ran into. "Check your plan and billing" stands
// in the errors of limits that open in a minute, too, so words count only where
// nothing says when that is.
func (r *Reading) reason(said *bodyFindings) Reason {
	switch {
	case said.tooLarge:
		return TooLarge
	case said.unpaid, said.billing && !r.Wait.Known():
		return Billing
	case said.period:
		return PeriodQuota
	}
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Exhausted() && w.Length >= scan.Day {
			return PeriodQuota
		}
	}
	return Unspecified
}

func (r *Reading) setWait(t Reset, explicit bool) {
	r.Wait = Wait{Reset: t, Delay: t.Delay(r.base()), Explicit: explicit}
}

// refused applies what each status means. See RFC 6585 section 4 for 429 and
// RFC 9110 section 15.6.4 for 503.
func (r *Reading) refused(said *bodyFindings) bool {
	switch r.status {
	case 429, 420, 430, 456, 999: // 456 is DeepL's, for a quota; 999 is Yahoo's and LinkedIn's
		return true
	case 503, 529, 509, 418:
		return r.waits.known || said.refused || r.exhausted(false)
	case 403:
		// A request of too many tokens is a bad one; what is forbidden is one more.
		return r.waits.known || said.refused || said.tokens || r.exhausted(false) && !said.denied
	case 402:
		// Payment required, except where a quota resets by itself.
		return r.waits.known || said.refused || r.exhausted(true)
	case 400, 409:
		// A bad request that happens to be the last of its window is a bad request.
		return r.waits.known && r.status == 400 || said.refused
	case 401, 425:
		return said.refused
	case 500:
		// A fault of SOAP comes with a 500 for any reason. Only its code counts.
		return said.faulted || r.frank && said.certain
	case 200:
		return said.certain
	}
	return false
}

// Overloaded reports that the request was refused with a status that speaks of the
// server, 503 or 529, and not of a limit of the client's.
func (r *Reading) Overloaded() bool { return r.Refused && (r.status == 503 || r.status == 529) }

// Exhausted reports whether the response says that nothing is left of one of its windows.
func (r *Reading) Exhausted() bool { return slices.ContainsFunc(r.Windows, Window.Exhausted) }

// exhausted reports whether some window has nothing left.
func (r *Reading) exhausted(resets bool) bool {
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Exhausted() && (!resets || w.Reset.Known()) {
			return true
		}
	}
	return false
}

// retryAfter returns the wait that the fields name. Old versions of fastify
// and others put milliseconds into Retry-After. It is told by a reset in
// seconds beside it that says the same a thousand times smaller.
func (r *Reading) retryAfter() Reset {
	t := r.waits.longest
	seconds := r.waits.plain
	if seconds < 1000 || t.In != time.Duration(seconds)*time.Second {
		return t
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		if !w.Reset.Known() {
			continue
		}
		reset := w.Reset.Delay(r.base())
		if milli := t.In / 1000; reset > 0 && milli >= reset-time.Second && milli <= reset+reset/10+3*time.Second {
			return Reset{In: milli, Resolution: time.Second}
		}
	}
	return t
}

// deriveWait waits for the last of the exhausted windows to open. Where the
// server sends no counts, it waits for the resets there are.
func (r *Reading) deriveWait() bool {
	var last Reset
	counted := false
	for i := range r.Windows {
		w := &r.Windows[i]
		counted = counted || w.Exhausted()
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		if !w.Reset.Known() || !w.Exhausted() && (counted || w.Remaining.Known()) {
			continue
		}
		if !last.Known() || w.Reset.Delay(r.base()) > last.Delay(r.base()) {
			last = w.Reset
		}
	}
	if last.Known() {
		r.setWait(last, false)
	}
	return last.Known()
}
