package throttle

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/forbear-go/forbear/throttle/internal/refusals"
)

// A Lesson holds what is known of the limits of a key: the limits that were learned from
// refusals if the server announces none, and the announced limits, until they reset. It is
// a plain value that a program can store while it does not run. The zero Lesson means that
// nothing is known.
type Lesson struct {
	// Limit is how many requests the API admits in each Length, or 0 if no such window
	// is known.
	Limit  int           `json:"limit,omitempty"`
	Length time.Duration `json:"length,omitempty"`
	// Opens is a time at which a window began. Fixed means that others begin whole
	// Lengths before and after it. If Opens is zero or Fixed is false, the window may be
	// a rolling one.
	Opens time.Time `json:"opens,omitzero"`
	Fixed bool      `json:"fixed,omitempty"`
	// Spent is how many requests of the current window were sent, the last one at Last.
	Spent int       `json:"spent,omitempty"`
	Last  time.Time `json:"last,omitzero"`
	// Rate is how many requests a second the API admits, or 0 if no such rate is known.
	Rate float64 `json:"rate,omitempty"`
	// Windows are the limits that the server announced and, named [Refusal], the wait that
	// a refusal asked for.
	Windows []AnnouncedWindow `json:"windows,omitempty"`
	// Seen is when the server last answered. Confirmed is how many consecutive runs of the
	// program tested whether the limits still hold, and were refused.
	Seen      time.Time `json:"seen,omitzero"`
	Confirmed int       `json:"confirmed,omitempty"`
	// ClockMin and ClockMax bound how far the server's clock is ahead of the local clock.
	// Both are zero if that is not known.
	ClockMin time.Duration `json:"clock_min,omitempty"`
	ClockMax time.Duration `json:"clock_max,omitempty"`
}

// An AnnouncedWindow is a limit that the server announced.
type AnnouncedWindow struct {
	// Name, Unit and Scope are the server's own words.
	Name  string `json:"name,omitempty"`
	Unit  string `json:"unit,omitempty"`
	Scope string `json:"scope,omitempty"`
	// Limit is the most that the window allows, or 0 if the server did not say.
	Limit int `json:"limit,omitempty"`
	// Remaining is what was left for this program, not counting requests in flight.
	Remaining int `json:"remaining"`
	// Length is the period of the window, or 0 if it is not known.
	Length time.Duration `json:"length,omitempty"`
	// Reset is the latest time at which the window resets, by the local clock.
	Reset time.Time `json:"reset,omitzero"`
}

// IsZero reports whether nothing is known.
func (l *Lesson) IsZero() bool { return l.Limit == 0 && l.Rate == 0 && len(l.Windows) == 0 }

// Lesson returns what the Limiter knows at now.
func (k *Limiter) Lesson(now time.Time) Lesson {
	i := k.instant(now)
	k.expire(i)
	out := Lesson{Windows: k.announced(i)}
	k.infer(i, &out)
	if out.IsZero() {
		return Lesson{}
	}
	seen := k.heard
	if k.remembered.counts() {
		seen = k.remembered.seen
	}
	if seen > -never/4 {
		out.Seen = k.time(seen)
	}
	out.Confirmed = k.retained(i, out.Windows)
	switch {
	case k.clock.Known:
		out.ClockMin, out.ClockMax = time.Duration(k.clock.Offset.Earliest), time.Duration(k.clock.Offset.Latest)
	case k.remembered != nil:
		out.ClockMin, out.ClockMax = time.Duration(k.remembered.offset.Earliest), time.Duration(k.remembered.offset.Latest)
	}
	return out
}

// infer adds what refusals taught.
func (k *Limiter) infer(now instant, out *Lesson) {
	v := k.view()
	is := k.refusals.Inferred(&v, now)
	if is.Limit > 0 {
		out.Limit, out.Length = int(is.Limit), time.Duration(is.Length)
		out.Opens, out.Fixed = k.clock.Origin.Add(time.Duration(is.Opens)), is.Fixed
		if is.Spent > 0 {
			out.Spent, out.Last = int(is.Spent), k.clock.Origin.Add(time.Duration(k.lastSent))
		}
	}
	out.Rate = min(is.Rate, lessonRate)
}

// Restore gives a new Limiter what an earlier one knew about the same key. It does not
// replace what the Limiter has learned itself. What it restores is a belief, which the
// first response of the server confirms or refutes. Restore ignores what is invalid, or too
// old to be of use; the error describes what was invalid.
func (k *Limiter) Restore(now time.Time, was Lesson) error {
	err := was.sanitize(now)
	i := k.instant(now)
	if (was.Limit > 0 || was.Rate > 0) && !k.refusals.Known() {
		k.resume(i, &was)
	}
	if k.sent == 0 {
		k.remember(now, &was)
	}
	return err
}

// resume starts with what refusals taught.
func (k *Limiter) resume(now instant, was *Lesson) {
	k.refusals.Restore(now, &refusals.Inferred{
		Limit: int64(was.Limit), Length: instant(was.Length), Opens: k.instant(was.Opens), Fixed: was.Fixed && !was.Opens.IsZero(),
		Spent: int64(was.Spent), Rate: was.Rate,
	}, min(k.instant(was.Last), now))
}

// The bounds of what a lesson may say.
const (
	lessonLimit  = 1 << 40
	lessonLength = 366 * 24 * time.Hour
	lessonRate   = 1e9
	lessonName   = 256
)

// sanitize removes what is impossible, field by field, and returns what that was.
func (l *Lesson) sanitize(now time.Time) error {
	var errs []error
	if l.Length < 0 || l.Length > lessonLength || l.Limit > 0 && l.Length == 0 {
		errs = append(errs, fmt.Errorf("throttle: lesson: a length of %v is impossible", l.Length))
		l.Limit, l.Length = 0, 0
	}
	if l.Limit < 0 || l.Limit > lessonLimit {
		errs = append(errs, fmt.Errorf("throttle: lesson: a limit of %d is impossible", l.Limit))
		l.Limit = 0
	}
	if l.Spent < 0 || l.Spent > lessonLimit {
		errs = append(errs, fmt.Errorf("throttle: lesson: %d requests of %d are impossible", l.Spent, l.Limit))
		l.Spent = 0
	}
	if math.IsNaN(l.Rate) || l.Rate < 0 || l.Rate > lessonRate {
		errs = append(errs, fmt.Errorf("throttle: lesson: a rate of %v a second is impossible", l.Rate))
		l.Rate = 0
	}
	if l.ClockMax < l.ClockMin || l.ClockMin < -lessonLength || l.ClockMax > lessonLength {
		errs = append(errs, fmt.Errorf("throttle: lesson: a clock that is %v to %v ahead is impossible", l.ClockMin, l.ClockMax))
		l.ClockMin, l.ClockMax = 0, 0
	}
	for i := range l.Windows {
		errs = append(errs, l.Windows[i].check(now))
	}
	return errors.Join(errs...)
}

// check returns what is impossible about a window at now. That it has reset is not.
func (w *AnnouncedWindow) check(now time.Time) error {
	switch {
	case w.Limit < 0 || w.Limit > lessonLimit || w.Remaining < 0 || w.Remaining > lessonLimit || w.Limit > 0 && w.Remaining > w.Limit:
		return fmt.Errorf("throttle: lesson: %d of %d requests left are impossible", w.Remaining, w.Limit)
	case w.Length < 0 || w.Length > lessonLength:
		return fmt.Errorf("throttle: lesson: a length of %v is impossible", w.Length)
	case w.Reset.Sub(now) > lessonLength:
		return fmt.Errorf("throttle: lesson: a window that resets at %v is impossible", w.Reset)
	case len(w.Name) > lessonName || len(w.Unit) > lessonName || len(w.Scope) > lessonName:
		return fmt.Errorf("throttle: lesson: a name of more than %d bytes is impossible", lessonName)
	case w.Unit == concurrentUnit && w.Limit == 0:
		return errors.New("throttle: lesson: a limit of no request at a time is impossible")
	}
	return nil
}

// UnmarshalJSON reads a lesson field by field. It ignores fields that it does not know or
// cannot read, so that no file that is old or damaged keeps a program from starting.
func (l *Lesson) UnmarshalJSON(text []byte) error {
	fields, err := object(text)
	if err != nil {
		return err
	}
	*l = Lesson{}
	field(fields, "limit", &l.Limit)
	field(fields, "length", &l.Length)
	field(fields, "opens", &l.Opens)
	field(fields, "fixed", &l.Fixed)
	field(fields, "spent", &l.Spent)
	field(fields, "last", &l.Last)
	field(fields, "rate", &l.Rate)
	field(fields, "seen", &l.Seen)
	field(fields, "confirmed", &l.Confirmed)
	field(fields, "clock_min", &l.ClockMin)
	field(fields, "clock_max", &l.ClockMax)
	var windows []json.RawMessage
	field(fields, "windows", &windows)
	for _, text := range windows {
		var w AnnouncedWindow
		if json.Unmarshal(text, &w) == nil {
			l.Windows = append(l.Windows, w)
		}
	}
	return nil
}

// object splits a JSON object into its fields.
func object(text []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(text, &fields)
	return fields, err
}

// field reads the value of a field, unless it is not there or of another type.
func field[T any](fields map[string]json.RawMessage, name string, to *T) {
	var v T
	if text, ok := fields[name]; ok && json.Unmarshal(text, &v) == nil {
		*to = v
	}
}
