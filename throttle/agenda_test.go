package throttle

import (
	"container/heap"
	"time"
)

// An event is something that happens at a time.
type event struct {
	at   time.Time
	seq  int
	what func(now time.Time)
}

// An agenda is what will happen, the earliest first.
type agenda struct {
	events []event
	seq    int
}

func (a *agenda) Len() int { return len(a.events) }

func (a *agenda) Less(i, j int) bool {
	x, y := &a.events[i], &a.events[j]
	return x.at.Before(y.at) || x.at.Equal(y.at) && x.seq < y.seq
}

func (a *agenda) Swap(i, j int) { a.events[i], a.events[j] = a.events[j], a.events[i] }

func (a *agenda) Push(x any) { a.events = append(a.events, x.(event)) }

func (a *agenda) Pop() any {
	last := a.events[len(a.events)-1]
	a.events = a.events[:len(a.events)-1]
	return last
}

// at enters what happens at t.
func (a *agenda) at(t time.Time, what func(now time.Time)) {
	a.seq++
	heap.Push(a, event{t, a.seq, what})
}

// runUntil lets everything happen that is entered before end. It reports whether
// anything was left to happen.
func (a *agenda) runUntil(end time.Time) bool {
	for len(a.events) > 0 {
		e := heap.Pop(a).(event)
		if !e.at.Before(end) {
			return true
		}
		e.what(e.at)
	}
	return false
}
