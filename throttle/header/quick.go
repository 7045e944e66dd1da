package header

import "time"

// quick reads what most responses have: one window, of plain numbers. It reports
// false, and leaves no trace, when there is more to it.
func (r *Reading) quick() bool {
	if len(r.hits) == 0 || len(r.hits) > 4 || r.periods != nil || !r.alike && !alike(r.hits) {
		return false
	}
	r.Windows = append(r.Windows, Window{Name: r.hits[0].label})
	w := &r.Windows[0]
	if w.Name == "" {
		w.Name = "default"
	}
	bare := false
	for i := range r.hits {
		h := &r.hits[i]
		if len(h.values) != 1 || !w.quick(h.field, h.values[0]) {
			r.Windows = r.Windows[:0]
			return false
		}
		bare = bare || h.role == roleReset && h.step == 0
		w.Length = max(w.Length, h.length)
		if h.unit != "" && h.unit > w.Unit {
			w.Unit = h.unit
		}
	}
	if w.Limit.Known() && w.Used.Known() && !w.Remaining.Known() {
		w.Remaining = Count{Value: max(0, w.Limit.Value-w.Used.Value), State: Known}
	}
	if bare && w.Length > 0 && w.Reset.In > 10*w.Length {
		r.Windows = r.Windows[:0]
		return false
	}
	return true
}

// alike reports whether all fields are about one window, and tell something
// that a plain number can say.
func alike(hits []hit) bool {
	for i := range hits {
		f, first := hits[i].field, hits[0].field
		if f.role > roleReset || f.sum || f.strict || f.full != 0 || f.key != first.key || f.family != first.family {
			return false
		}
	}
	return true
}

// quick sets one part of a window, if the value is a plain number without
// surprises and the part is not set yet.
func (w *Window) quick(f *field, v string) bool {
	n, ok := digits(v)
	if !ok {
		return false
	}
	c := &w.Limit
	switch f.role {
	case roleReset:
		if w.Reset.Known() {
			return false
		}
		if f.step == 0 && n >= minEpoch && n < minEpochMilli {
			w.Reset = Reset{At: time.Unix(n, 0).UTC(), Resolution: time.Second}
			return true
		}
		w.Reset, ok = resetOf(number{whole: n}, f.step)
		return ok
	case roleRemaining:
		c = &w.Remaining
	case roleUsed:
		c = &w.Used
	default:
		if n == 0 {
			return false // perhaps no limit at all
		}
	}
	if c.State != Absent {
		return false
	}
	*c = Count{Value: float64(n), State: Known}
	return true
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
