package backoff

// A Breaker is the circuit breaker of one key: it stops requests for a while when the
// server keeps failing. Package breaker has an implementation; others are welcome. A
// Breaker must be safe for concurrent use and must not block.
type Breaker interface {
	// Allow reports whether a request may be sent now. If so, the caller calls done
	// exactly once with the outcome; the zero [Attempt] means that it is unknown. If
	// not, err says why and done is nil. If err has a method RetryAt() time.Time, it
	// returns when to ask again.
	Allow() (done func(Attempt), err error)
}
