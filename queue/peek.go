package queue

import (
	"context"
	"time"
)

// Peek returns the position that r would have if it arrived now. It spends nothing. If r could be sent
// at once, Start is not after the current time and Ahead is 0.
func (l *Queue) Peek(r *Request) (Position, error) {
	if err := r.validate(); err != nil {
		return Position{}, err
	}
	id := l.match(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase != open {
		return Position{}, &WaitError{Err: ErrClosed}
	}
	now := l.now()
	k, c := l.key(r.Key, now), l.classOf(id)
	t := l.ticket(k, c, r)
	t.demand, t.arrived = r.demand(), l.since(now)
	t.deadline, _ = l.deadlineOf(context.Background(), r, t.arrived)
	l.seq++
	t.seq, t.level = l.seq, r.level()
	// Joining the queue and leaving it again, without asking any limit in between, is the simplest way.
	l.join(t)
	p, err := l.positionOf(t, now), l.impossible(t, now)
	l.drop(t)
	l.recycle(t)
	l.dispatch(now)
	return p, err
}

// Stats counts what a queue holds.
type Stats struct {
	Keys     int // keys that the queue remembers
	Waiting  int // requests in the queue, and those that wait for room in it
	InFlight int // permits that are not released
}

// Stats returns what the queue currently holds.
func (l *Queue) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{Keys: len(l.keys), Waiting: l.waiting + l.overflowed.len(), InFlight: l.flying}
}

// KeyStats returns what the queue holds for one key. Keys is 0 if the queue does not know the key, and
// 1 otherwise.
func (l *Queue) KeyStats(name string) Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.keys[name]; k != nil {
		return k.stats()
	}
	return Stats{}
}

func (k *key) stats() Stats {
	return Stats{Keys: 1, Waiting: int(k.waiting), InFlight: int(k.flying)}
}

// impossible returns the error for a request that costs more than a limit ever allows, or nil.
func (l *Queue) impossible(t *ticket, now time.Time) (err error) {
	d := t.asks(now)
	l.eachLimiter(t.flow, func(g *limiter) {
		if a := g.ask(now, &d); a.Max > 0 {
			err = newCostError(t.r, &a)
		}
	})
	return err
}
