package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

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

// KeyWaiting returns how many requests of a key wait in all and, of those, how many have the highest priority,
// and which that is. It disregards those that wait for room in the queue.
func (l *Queue) KeyWaiting(name string) (all, first int, highest Priority) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.keys[name]
	if k == nil {
		return 0, 0, Lowest
	}
	highest = Lowest
	for n := range k.eachBucket {
		for _, f := range n.flows {
			p := Priority(f.level-inVain-1) + Lowest // less than that of any, if it waits in vain
			if p > highest {
				highest, first = p, 0
			}
			if all += f.len(); p == highest {
				first += f.len()
			}
		}
	}
	return all, first, highest
}

func (k *key) stats() Stats {
	return Stats{Keys: 1, Waiting: int(k.waiting), InFlight: int(k.flying)}
}

// A Declared is a limit of a [Rule] as it stands at some moment.
type Declared struct {
	// Name is the name that the limit has in errors.
	Name string
	// Key or Host is whose requests it counts. Both are empty if it counts all.
	Key, Host string
	// Unit is what the limit counts, such as "requests" or "tokens".
	Unit string
	// Limit is how much may be spent at once after a rest, and Remaining how much may be
	// spent now.
	Limit, Remaining int
	// Full is when all of the limit will be there again if nothing else is sent. It is zero
	// if that is now, or depends on answers.
	Full time.Time
}

// EachDeclared calls f for each limit of the rules, as it stands for each key and host that
// sent requests, in no particular order, under the queue's lock: f must not call the queue.
// Limits that Rule.New makes are left out.
func (l *Queue) EachDeclared(f func(d Declared)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for id, g := range l.shared {
		g.eachDeclared(now, "", id.host, f)
	}
	for _, k := range l.keys {
		for _, g := range k.limiters {
			if g != nil {
				g.eachDeclared(now, k.name, "", f)
			}
		}
	}
}

func (g *limiter) eachDeclared(now time.Time, key, host string, f func(d Declared)) {
	if g.version != g.rule.version {
		g.rule.renew(g, now)
	}
	if b := g.flight(); b != nil {
		f(Declared{Name: g.rule.flightName(), Key: key, Host: host, Unit: "requests", Limit: b.max, Remaining: max(b.max-b.now, 0)})
		return
	}
	if g.rule.Fleet {
		g.eachPortion(now, key, host, f)
		return
	}
	parts := limit.Parts(g.limit)
	for i, q := range g.rule.Limits {
		f(Declared{
			Name: q.String(), Key: key, Host: host, Unit: q.Unit(), Limit: q.Most(),
			Remaining: q.Remaining(parts[i], now), Full: q.Full(parts[i], now),
		})
	}
}
