package backoff

import (
	"math"
	"sync"
	"time"
)

// A Budget bounds the retries of one key to a share of its traffic, so that an
// outage does not cause a storm of retries. It allows a retry as long as fewer than
// floor + share × requests retries were made within about one window.
//
// The zero Budget is ready for use, with a share of 0.2, a floor of 10 and a
// window of 10 seconds. With this share, a server that fails all requests gets
// 20 % more of them instead of five times as many; the floor lets a client with little
// traffic retry at all; the window is long enough to average over bursts and short
// enough that a good hour does not pay for a bad one.
//
// Both counts decay exponentially: 37 % of a count is left after one window. So a
// Budget takes the same few bytes whatever the traffic, and a steady rate counts as
// the number of requests in one window. During any time t, the Budget allows at
// most floor × (1 + t/window) retries, plus share × the number of requests,
// including earlier requests that have not fully decayed.
//
// A nil Budget is unlimited: it allows every retry and counts nothing.
//
// A Budget never blocks and is safe for concurrent use. It must not be copied
// after first use. Times passed in must come from one clock; a time earlier than
// the latest one counts as the latest one.
type Budget struct {
	share  float64
	floor  float64
	window time.Duration // zero means that all three are the defaults

	mu       sync.Mutex // guards the fields below
	latest   time.Time
	requests float64 // first attempts, fading
	retries  float64 // retries allowed, fading
	allowed  uint64
	denied   uint64
}

// The settings of the zero Budget.
const (
	defaultShare  = 0.2
	defaultFloor  = 10
	defaultWindow = 10 * time.Second
)

// NewBudget returns a budget with the given settings. The share must be from 0 to 1,
// the floor, a number of retries, must not be negative, and the window must be
// positive; otherwise NewBudget returns an error that matches [ErrInvalid]. With a
// share and a floor of 0, the budget allows no retries.
func NewBudget(share float64, floor int, window time.Duration) (*Budget, error) {
	switch {
	case !(share >= 0 && share <= 1):
		return nil, invalid("NewBudget: the share must be from 0 to 1, got %v", share)
	case floor < 0:
		return nil, invalid("NewBudget: the floor must not be negative, got %d", floor)
	case window <= 0:
		return nil, invalid("NewBudget: the window must be positive, got %v", window)
	}
	return &Budget{share: share, floor: float64(floor), window: window}, nil
}

// Request counts a first attempt. Call it once for every request, whether or not it
// succeeds: the share is a share of these.
func (b *Budget) Request(now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fade(now)
	b.requests++
}

// Retry reports whether one more retry is allowed, and counts it if so.
// [Strategy.Next] calls it.
func (b *Budget) Retry(now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fade(now)
	if b.free() < 1 {
		b.denied++
		return false
	}
	b.retries++
	b.allowed++
	return true
}

// Refund returns a retry that was allowed at time taken but was not sent, for
// example because the caller gave up waiting. It returns only the part that has not
// decayed since.
func (b *Budget) Refund(taken, now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fade(now)
	b.retries = max(0, b.retries-b.left(b.latest.Sub(taken)))
}

// BudgetStats is the state of a [Budget] at one moment.
type BudgetStats struct {
	// Requests and Retries are the decaying counts, which are about those of the
	// last window.
	Requests, Retries float64
	// Free is how many retries would be allowed right now; math.MaxInt means no
	// bound.
	Free int
	// Allowed and Denied count the results of Retry since the budget was created.
	// Refunds do not change them.
	Allowed, Denied uint64
}

// Stats returns the state of the budget. It changes nothing.
func (b *Budget) Stats(now time.Time) BudgetStats {
	if b == nil {
		return BudgetStats{Free: math.MaxInt}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fade(now)
	return BudgetStats{
		Requests: b.requests,
		Retries:  b.retries,
		Free:     int(b.free()),
		Allowed:  b.allowed,
		Denied:   b.denied,
	}
}

// settings needs no lock, because the fields do not change.
func (b *Budget) settings() (share, floor float64, window time.Duration) {
	if b.window == 0 {
		return defaultShare, defaultFloor, defaultWindow
	}
	return b.share, b.floor, b.window
}

// free returns how many retries could be allowed. The caller must hold b.mu. The result is
// never negative: it was not when the last retry was allowed, and it has grown since.
func (b *Budget) free() float64 {
	share, floor, _ := b.settings()
	// In floating point, 0.29 × 100 is slightly less than 29.
	const crumb = 1e-9
	return floor + share*b.requests - b.retries + crumb
}

// fade lets the counts decay until now. The caller must hold b.mu.
func (b *Budget) fade(now time.Time) {
	passed := now.Sub(b.latest) // very long the first time, when the counts are zero
	_, _, window := b.settings()
	if passed <= window/1024 { // the decay would be negligible
		return
	}
	left := b.left(passed)
	b.requests *= left
	b.retries *= left
	b.latest = now
}

// left returns which share of a count is left after d.
func (b *Budget) left(d time.Duration) float64 {
	_, _, window := b.settings()
	return math.Exp(-float64(max(d, 0)) / float64(window))
}
