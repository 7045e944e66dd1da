package ratemodel

import "time"

// All is several models at once: a request is admitted only if all of them
// admit it, and counted in all of them or in none. A refused one is noted by
// those that count refusals. An empty All admits everything.
type All []Model

// Admit implements Model.
func (a All) Admit(now time.Time) bool {
	for _, m := range a {
		if m.Next(now).After(now) {
			a.Refuse(now)
			return false
		}
	}
	for _, m := range a {
		m.Admit(now)
	}
	return true
}

// Refuse implements Refuser.
func (a All) Refuse(now time.Time) {
	for _, m := range a {
		if r, ok := m.(Refuser); ok {
			r.Refuse(now)
		}
	}
}

// Next implements Model.
func (a All) Next(now time.Time) time.Time {
	last := now
	for _, m := range a {
		if t := m.Next(now); t.After(last) {
			last = t
		}
	}
	return last
}

// Windows implements Model: the windows of all the models, in their order.
func (a All) Windows(dst []Window, now time.Time) []Window {
	for _, m := range a {
		dst = m.Windows(dst, now)
	}
	return dst
}
