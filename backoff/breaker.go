package backoff

// Breaker stops sending for a while to a server that fails: a circuit breaker for one
// key. Package breaker has one that is made of a library; other implementations are
// welcome. It must be safe for concurrent use and must not block.
type Breaker interface {
	// Allow asks whether a request may be sent now. If so, done is called exactly
	// once with what became of it: the zero [Attempt] says that nobody knows. If
	// not, the error says why and done is nil. An error with a method RetryAt()
	// time.Time tells when it is worth to ask again.
	Allow() (done func(Attempt), err error)
}
