package throttle

import "time"

// An event is something that happens at a time.
type event struct {
	at   time.Time
	seq  int
	what func(now time.Time)
}

// An agenda is what will happen, the earliest first.
type agenda struct {
	events []*event
	seq    int
}

// before reports whether the i-th event is before the j-th.
func (a *agenda) before(i, j int) bool {
	x, y := a.events[i], a.events[j]
	return x.at.Before(y.at) || x.at.Equal(y.at) && x.seq < y.seq
}

// push enters an event into the heap. Simulations spend much of their time here, so that it is not one of
// package heap, which knows nothing of types.
func (a *agenda) push(e *event) {
	a.events = append(a.events, e)
	for i := len(a.events) - 1; i > 0; {
		up := (i - 1) / 2
		if !a.before(i, up) {
			return
		}
		a.events[i], a.events[up] = a.events[up], a.events[i]
		i = up
	}
}

// pop takes the earliest event out of it.
func (a *agenda) pop() *event {
	e, last := a.events[0], len(a.events)-1
	a.events[0], a.events[last] = a.events[last], nil
	a.events = a.events[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if a.before(child, least) {
				least = child
			}
		}
		if least == i {
			return e
		}
		a.events[i], a.events[least] = a.events[least], a.events[i]
		i = least
	}
}

// at enters what happens at t.
func (a *agenda) at(t time.Time, what func(now time.Time)) {
	a.seq++
	a.push(&event{t, a.seq, what})
}

// runUntil lets everything happen that is entered before end. It reports whether
// anything was left to happen.
func (a *agenda) runUntil(end time.Time) bool {
	for len(a.events) > 0 {
		e := a.pop()
		if !e.at.Before(end) {
			return true
		}
		e.what(e.at)
	}
	return false
}
