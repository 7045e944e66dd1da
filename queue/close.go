package queue

import (
	"context"
	"sync"
)

type phase uint8

const (
	open     phase = iota
	draining       // lets in retries only; ends when no request waits or is in flight
	closed
)

// Close makes all waiting and later requests fail with [ErrClosed]. Permits that were granted stay
// valid. Close does not block, and may be called more than once.
func (l *Queue) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
}

// finish closes the queue for good. The caller must hold l.mu.
func (l *Queue) finish() {
	if l.phase == closed {
		return
	}
	l.phase = closed
	err := &WaitError{Err: ErrClosed}
	for i := range l.arrivals {
		for l.arrivals[i].oldest != nil {
			l.fail(l.arrivals[i].oldest, err)
		}
	}
	for l.overflowed.len() > 0 {
		l.fail(l.overflowed.head(), err)
	}
	// No request is left that could wait for a limit.
	for _, g := range l.dirtyLimiters {
		g.dirty = 0
	}
	for _, s := range l.dirtyEntries {
		s.dirty = false
	}
	l.dirtyLimiters, l.dirtyEntries = nil, nil
	l.due = never
	if l.timer != nil {
		l.timer.Stop()
	}
	close(l.gone)
}

// Hold keeps [Queue.Shutdown] from returning until release is called. Only the first call of release
// counts. Hold is for a request between two attempts, which holds no permit: call it before the permit
// of the first attempt is released. [Queue.Close] does not wait for release.
func (l *Queue) Hold() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.held--
		l.dispatch(l.now())
	})
}

// drained reports whether no request waits or is in flight.
func (l *Queue) drained() bool {
	return l.waiting == 0 && l.overflowed.len() == 0 && l.flying == 0 && l.held == 0
}

// Shutdown closes the queue gracefully. New requests other than retries fail with [ErrClosed], and
// waiting requests get their permits as before. Shutdown blocks until no request waits, every permit
// is released and every [Queue.Hold] has ended, and then returns nil. If ctx is done first, Shutdown
// closes the queue like [Queue.Close] and returns the error of ctx.
func (l *Queue) Shutdown(ctx context.Context) error {
	l.mu.Lock()
	if l.phase == open {
		l.phase = draining
		for len(l.inVain) > 0 {
			l.fail(l.inVain[0], l.inVain[0].err)
		}
		if l.drained() {
			l.finish()
		}
	}
	l.mu.Unlock()
	select {
	case <-l.gone:
		return nil
	default:
	}
	select {
	case <-l.gone:
		return nil
	case <-ctx.Done():
		l.Close()
		return ctx.Err()
	}
}
