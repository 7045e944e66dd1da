package header

import (
	"cmp"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
	"github.com/forbear-go/forbear/throttle/header/internal/when"
)

// frame is what the names of the fields of a plain window tell of it, independent of their
// values.
type frame struct {
	window   Window // with its name, unit and length
	unitless bool   // the unit of its reset is not told
	stemless bool   // no stem says that its limit is one of requests
}

// unnamed is the name of a window that the server gave none.
const unnamed = "default"

// maxQuick is how many fields a plain window has at most: one of each role.
const maxQuick = 4

// add adds a field.
func (fr *frame) add(f *names.Field) {
	w := &fr.window
	if w.Name == "" || w.Name == unnamed {
		w.Name = cmp.Or(f.Label, unnamed)
	}
	w.Unit = max(w.Unit, f.Unit)
	w.Length = max(w.Length, f.Length)
	fr.stemless = f.Family == names.NoFamily
	fr.unitless = fr.unitless || f.Role == names.RoleReset && f.Step == 0
}

// doubtful reports whether the values may not fit the names.
func (fr *frame) doubtful() bool { return fr.stemless || fr.unitless && fr.window.Length > 0 }

// quick reads what most responses have: one window, of plain numbers. It reports
// false, and leaves no trace, when there is more to it.
func (r *Reading) quick() bool {
	if len(r.hits) == 0 || len(r.hits) > maxQuick || r.periods != nil || !r.alike && (r.sorted || !alike(r.hits)) {
		return false
	}
	var fr frame
	for i := range r.hits {
		fr.add(r.hits[i].Field)
	}
	w := r.window(&fr)
	for i := range r.hits {
		h := &r.hits[i]
		if len(h.values) != 1 || !w.assign(h.Field, h.values[0]) {
			r.Windows = r.Windows[:0]
			return false
		}
	}
	return r.conclude(w, &fr)
}

// readShape is quick for a response of a known shape, whose fields it looks up as it
// goes. It reports false when there is more to it; then the reading has to begin.
func (r *Reading) readShape(s *shape, h http.Header) bool {
	r.reset()
	w := r.window(&s.frame)
	for _, f := range s.fields {
		values := h[f.Name]
		switch {
		case f.Role == names.RoleReset:
			if len(values) != 1 || !w.assign(f, values[0]) {
				return false
			}
		case f.Role < names.RoleDate:
			if len(values) != 1 {
				return false
			}
			if n, ok := digits(values[0]); !ok || !w.quickCount(f.Role, n) {
				return false
			}
		case len(values) == 0:
			return false
		default:
			r.collect(f, values)
		}
	}
	if (w.Used.Known() || s.frame.doubtful()) && !r.conclude(w, &s.frame) {
		return false
	}
	if s.date != nil && !w.Reset.At.IsZero() {
		if values := h[s.date.Name]; len(values) > 0 {
			r.date = values[0]
			r.Date = r.readDate()
		}
	}
	return true
}

// window starts a reading of one window with the frame known so far.
func (r *Reading) window(fr *frame) *Window {
	if cap(r.Windows) == 0 {
		r.Windows = make([]Window, 1)
	}
	r.Windows = r.Windows[:1]
	w := &r.Windows[0]
	*w = fr.window
	return w
}

// conclude draws what follows from the parts of the one window. It reports false,
// and takes it back, when they do not fit each other.
func (r *Reading) conclude(w *Window, fr *frame) bool {
	if w.Used.Known() && w.Limit.Known() && !w.Remaining.Known() {
		w.Remaining = Count{Value: max(0, w.Limit.Value-w.Used.Value), State: Known}
	}
	if fr.unitless && w.Length > 0 && w.Reset.In > 10*w.Length ||
		fr.stemless && w.Length == 0 && !w.Remaining.Known() && !w.Reset.Known() {
		r.Windows = r.Windows[:0]
		return false
	}
	return true
}

// plain reports whether all fields are plain numbers, and not too many of them.
func plain(hits []hit) bool {
	for i := range hits {
		if len(hits[i].values) != 1 {
			return false
		}
		if _, ok := digits(hits[i].values[0]); !ok {
			return false
		}
	}
	return len(hits) > 0 && len(hits) <= maxQuick
}

// alike reports whether all fields are about one window, and tell something
// that a plain number can say.
func alike(hits []hit) bool {
	for i := range hits {
		f, first := hits[i].Field, hits[0].Field
		if f.Role > names.RoleReset || f.Weak || f.Sum || f.Strict || f.Full != 0 || f.Key != first.Key || f.Family != first.Family || f.Label != first.Label {
			return false
		}
	}
	return true
}

// assign sets one part of a window, if the value is a plain number without
// surprises and the part is not set yet.
func (w *Window) assign(f *names.Field, v string) bool {
	n, ok := digits(v)
	if ok && f.Role == names.RoleReset {
		return w.quickReset(f, n)
	}
	return ok && w.quickCount(f.Role, n)
}

// quickCount sets a count. A limit of 0 is perhaps none at all.
func (w *Window) quickCount(role names.Role, n int64) bool {
	c := &w.Limit
	switch {
	case role == names.RoleRemaining:
		c = &w.Remaining
	case role == names.RoleUsed:
		c = &w.Used
	case n == 0:
		return false
	}
	if c.State != Absent {
		return false
	}
	c.Value, c.State = float64(n), Known
	return true
}

// quickReset sets the reset.
func (w *Window) quickReset(f *names.Field, n int64) (ok bool) {
	switch {
	case w.Reset.Known():
		return false
	case n <= maxDelta && (f.Step == 0 || f.Step == time.Second):
		w.Reset.In, w.Reset.Resolution = time.Duration(n)*time.Second, time.Second
		return true
	case f.Step == 0 && n >= when.MinEpoch && n < when.MinEpochMilli:
		w.Reset.At, w.Reset.Resolution = time.Unix(n, 0).UTC(), time.Second
		return true
	}
	w.Reset, ok = resetOf(scan.Number{Whole: n}, f.Step)
	return ok
}

// digits reads up to fifteen digits, and nothing else.
func digits(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 15 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}
