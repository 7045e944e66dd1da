package ratemodel

import (
	"sort"
	"time"
)

// Units is a Model as a request sees it that spends N of it at once: it is
// admitted if so many remain, and counted as many times. A request that spends
// less than one is always admitted, and not counted. One that spends more than the
// limit never is.
type Units struct {
	Model
	N int
}

// Admit implements Model.
func (u Units) Admit(now time.Time) bool {
	if !u.room(now) {
		u.Refuse(now)
		return false
	}
	for range u.N {
		u.Model.Admit(now)
	}
	return true
}

// Refuse implements Refuser.
func (u Units) Refuse(now time.Time) {
	if r, ok := u.Model.(Refuser); ok && u.N > 0 {
		r.Refuse(now)
	}
}

// Release implements Releaser.
func (u Units) Release() {
	if r, ok := u.Model.(Releaser); ok {
		for range u.N {
			r.Release()
		}
	}
}

// Next implements Model. While no requests come, what remains only grows, so the
// moment is found by bisection. For a request that is never admitted it is two
// lengths away.
func (u Units) Next(now time.Time) time.Time {
	if u.room(now) {
		return now
	}
	last := u.Model.Next(now)
	for _, w := range u.Model.Windows(nil, now) {
		if t := now.Add(2 * w.Length); t.After(last) { // enough for every model
			last = t
		}
	}
	n := sort.Search(int(last.Sub(now)), func(i int) bool { return u.room(now.Add(time.Duration(i))) })
	return now.Add(time.Duration(n))
}

// room reports whether all that the request spends remains at t.
func (u Units) room(t time.Time) bool {
	if u.N < 1 {
		return true
	}
	if u.Model.Next(t).After(t) {
		return false
	}
	for _, w := range u.Model.Windows(nil, t) {
		if w.Remaining < u.N {
			return false
		}
	}
	return true
}
