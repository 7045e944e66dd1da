package client

import "github.com/forbear-go/forbear/queue"

// WithLine is the old name of [WithQueue].
//
// Deprecated: use [WithRule], [WithMaxWaiting] and the like.
func WithLine(opts ...queue.Option) Option { return WithQueue(opts...) }

// Line is the old name of [Transport.Queue].
//
// Deprecated: use [Transport.Queue].
func (t *Transport) Line() *queue.Queue { return t.Queue() }
