package ratemodel

import "time"

// Releaser is a Model that counts requests only while they are served.
type Releaser interface {
	// Release says that a request that was admitted is served.
	Release()
}

// Concurrent is a limit on how many requests are served at once. It has no
// window: nothing is announced of it.
type Concurrent struct {
	limit, inflight int
}

// NewConcurrent returns a limit of that many requests at once. It panics unless
// limit is positive.
func NewConcurrent(limit int) *Concurrent {
	check(limit, 1)
	return &Concurrent{limit: limit}
}

// Admit implements Model.
func (c *Concurrent) Admit(time.Time) bool {
	if c.inflight >= c.limit {
		return false
	}
	c.inflight++
	return true
}

// Release implements Releaser.
func (c *Concurrent) Release() { c.inflight = max(0, c.inflight-1) }

// Next implements Model. When a request will be served is not known: a full
// limit answers with a second from now, as servers do.
func (c *Concurrent) Next(now time.Time) time.Time {
	if c.inflight >= c.limit {
		return now.Add(time.Second)
	}
	return now
}

// Windows implements Model. There are none.
func (c *Concurrent) Windows(dst []Window, _ time.Time) []Window { return dst }
