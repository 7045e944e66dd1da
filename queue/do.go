package queue

import "context"

// Do waits for a permit for a request of key, calls f with ctx, and releases the permit when f returns
// or panics. It returns the error of [Queue.Acquire], without calling f, or the error of f.
//
// Use [Queue.Acquire] to describe a request by more than its key.
func (l *Queue) Do(ctx context.Context, key string, f func(ctx context.Context) error) error {
	p, err := l.Acquire(ctx, &Request{Key: key})
	if err != nil {
		return err
	}
	defer p.Release()
	return f(ctx)
}
