package queue

import "context"

// Do waits for a permit for one request of key, calls f with ctx and releases the permit when f
// returns or panics. It returns the error of [Queue.Acquire] or that of f.
//
// For more than a key, see [Queue.Acquire].
func (l *Queue) Do(ctx context.Context, key string, f func(ctx context.Context) error) error {
	p, err := l.Acquire(ctx, &Request{Key: key})
	if err != nil {
		return err
	}
	defer p.Release()
	return f(ctx)
}
