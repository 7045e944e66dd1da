package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

type state uint8

const (
	free    state = iota // in the pool
	waiting              // in a flow
	granted              // holds what it took
	failed               // err says why
)

// A ticket stands for one request from its arrival until its permit is released. Tickets are reused; gen
// counts the uses, so that a permit of an earlier use does nothing.
type ticket struct {
	queue *Queue
	key   *key
	class *class
	r     *Request // until Acquire returns
	flow  *flow    // while waiting
	wake  chan struct{}
	err   error // why it failed, or waits in vain

	prev, next   *ticket // in its flow
	older, newer *ticket // among all waiting requests of its level

	seq       int64 // of arrival
	arrived   int64 // in queue time
	deadline  int64 // in queue time, or never
	taken     time.Time
	demand    limit.Demand
	gen       uint32
	datePlace int32
	ahead     int32 // when it arrived
	state     state
	level     int8
	byContext bool // the deadline is the context's
	blocked   bool // a caller receives from wake
	observed  bool // the limiters know that the request is over
}

type byDeadline struct{}

func (byDeadline) less(a, b *ticket) bool { return a.deadline < b.deadline }
func (byDeadline) place(t *ticket) *int32 { return &t.datePlace }

// maxFree is how many unused tickets a queue keeps. A ticket takes about 300 bytes.
const maxFree = 1024

// ticket returns a new ticket. The caller must hold l.mu.
func (l *Queue) ticket(k *key, c *class, r *Request) *ticket {
	t := l.spare
	if t == nil {
		t = &ticket{queue: l}
	} else {
		l.spare, t.next = t.next, nil
		l.spares--
	}
	t.key, t.class, t.r = k, c, r
	c.users++
	return t
}

// recycle takes back a ticket that is no longer used. The caller must hold l.mu.
func (l *Queue) recycle(t *ticket) {
	t.gen++
	t.class.users--
	t.key, t.class, t.r, t.flow, t.err = nil, nil, nil, nil, nil
	t.taken, t.demand = time.Time{}, limit.Demand{}
	t.state, t.blocked, t.observed, t.byContext = free, false, false, false
	if l.spares < maxFree {
		t.next, l.spare = l.spare, t
		l.spares++
	}
}

// pool keeps values for later use. It needs no lock of its own: the queue's guards it.
type pool[T any] struct{ spare []*T }

func (p *pool[T]) get() *T {
	n := len(p.spare)
	if n == 0 {
		return new(T)
	}
	x := p.spare[n-1]
	p.spare = p.spare[:n-1]
	return x
}

func (p *pool[T]) put(x *T) {
	if len(p.spare) < maxFree {
		p.spare = append(p.spare, x)
	}
}
