package client

import (
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
)

// A learned is what is known of one key: the limits that the line asks, and what
// it may spend on retries.
type learned struct {
	throttle *throttle.Throttle
	budget   backoff.Budget
}

// Ask implements queue.Limit.
func (l *learned) Ask(now time.Time, r *queue.Request) queue.Answer {
	a := l.throttle.Ask(now, r.Cost)
	return queue.Answer{At: a.At, Name: a.Name, Unknown: a.At.IsZero() && a.Max == 0, Max: a.Max}
}

// Take implements queue.Limit.
func (l *learned) Take(now time.Time, r *queue.Request) {
	r.Tag.(*attempt).ticket = l.throttle.Send(now, r.Cost)
}

// Return implements queue.Returner.
func (l *learned) Return(_ time.Time, r *queue.Request) {
	l.throttle.Return(r.Tag.(*attempt).ticket)
}

// Idle implements queue.Idler.
func (l *learned) Idle(now time.Time) bool { return l.throttle.Idle(now) }
