// Package loop has members call their store in a goroutine that lives no longer than there is something to
// call it for.
package loop

import (
	"sync"
	"time"
)

// A Loop takes steps while there is something to do. It is guarded by the lock of its owner.
type Loop struct {
	lock *sync.Mutex
	run  func(f func())
	step func() (again bool, next time.Time)

	busy, kicked, stopped bool
	timer                 *time.Timer
}

// Init prepares a loop, which run runs in a goroutine of its own. It calls step without the lock until that
// reports that nothing is to be done, before next; if that is zero, before something happens.
func (l *Loop) Init(lock *sync.Mutex, run func(f func()), step func() (again bool, next time.Time)) {
	l.lock, l.run, l.step = lock, run, step
	l.timer = time.AfterFunc(time.Hour, func() {
		l.lock.Lock()
		defer l.lock.Unlock()
		l.Kick()
	})
	l.timer.Stop()
}

// Kick sees that a step is taken soon. The lock is held, as with all methods.
func (l *Loop) Kick() {
	switch {
	case l.stopped:
	case l.busy:
		l.kicked = true
	default:
		l.busy = true
		l.run(l.work)
	}
}

// By sees that a step is taken at a time, unless one is taken before that.
func (l *Loop) By(at, now time.Time) { l.timer.Reset(max(at.Sub(now), time.Millisecond)) }

// Busy reports whether steps are being taken.
func (l *Loop) Busy() bool { return l.busy }

// Stop ends the loop after the step that is being taken.
func (l *Loop) Stop() {
	l.stopped = true
	l.timer.Stop()
}

func (l *Loop) work() {
	for l.next() {
	}
}

// next takes a step. It reports whether to take another.
func (l *Loop) next() bool {
	l.lock.Lock()
	l.kicked = false
	l.lock.Unlock()
	again, next := l.step()
	l.lock.Lock()
	defer l.lock.Unlock()
	if again = (again || l.kicked) && !l.stopped; again {
		return true
	}
	if l.busy = false; !l.stopped && !next.IsZero() {
		l.By(next, time.Now())
	}
	return false
}
