// Package ratemodel holds models of the rate limiters that servers use. They
// are exact: no rounding, no network, time passed in.
package ratemodel

import "time"

// Model decides, request by request, as one rate limiter of one key does.
// Times passed to Admit must not go backwards. It is not safe for concurrent
// use.
type Model interface {
	// Admit reports whether the request that arrives at now is admitted, and
	// counts it if so (or, where the model says so, also if not).
	Admit(now time.Time) bool
	// Next returns the first moment, not before now, at which a request would be
	// admitted if none came until then; from then on it stays so until one comes.
	// It changes nothing, and now may lie ahead of what Admit has seen.
	Next(now time.Time) time.Time
	// Windows appends to dst the state of each window at now, after whatever was
	// admitted, and returns the extended slice. It changes nothing.
	Windows(dst []Window, now time.Time) []Window
}

// Refuser is a Model that takes note of refused requests. All tells it of those
// that another model refused; its own it notes in Admit.
type Refuser interface {
	// Refuse notes a request that arrived at now and was refused.
	Refuse(now time.Time)
}

// Window is the exact state of one window.
type Window struct {
	Name      string        // "" where the server does not name it
	Limit     int           // what the window allows
	Remaining int           // whole requests that would be admitted right now
	Reset     time.Time     // the moment that the server would announce; zero: none
	Length    time.Duration // the period
}

// ResetRule says which moment a model without a fixed end announces as its
// reset.
type ResetRule uint8

// The rules of announcing. When nothing is spent, ResetNext and ResetFull both
// announce the present moment.
const (
	ResetNext ResetRule = iota // when the next unit comes back: the oldest request leaves, the next token arrives
	ResetFull                  // when all is back: the newest request leaves, the bucket is full
	ResetNone                  // never: Window.Reset stays zero
)

// check panics on numbers that no limiter can have. The models are built by
// tests and examples from constants, so a wrong number is a mistake in the
// program, as it is for time.NewTicker.
func check(limit int, length time.Duration) {
	if limit < 1 {
		panic("ratemodel: limit must be at least 1")
	}
	if length <= 0 {
		panic("ratemodel: length must be positive")
	}
}
