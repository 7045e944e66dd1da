package backoff

import (
	"math"
	"sync"
	"time"
)

// Budget bounds the retries of one key to a share of its traffic, so that a bad
// hour of the server does not become a storm of retries. Retries are allowed
// while fewer than floor + share × requests of them were made within about one
// window.
//
// The zero Budget is ready for use, with a share of 0.2, a floor of 10 and a
// window of 10 seconds. With a share of a fifth, a server that fails for
// everybody gets 20 % more requests and not four times as many; the floor lets a
// client with little traffic retry at all; the window is long enough to average
// over bursts and short enough that a good hour does not pay for a bad one.
//
// Both counts fade exponentially: after a window without news, 37 % of a count
// is left. So a Budget takes the same few bytes whatever the traffic, and a
// steady rate counts as the number of requests in one window. Over any time t
// no more retries are allowed than floor × (1 + t/window) plus share × the
// requests, those that had not yet faded included.
//
// A nil Budget is without bound: it allows every retry and counts nothing.
//
// A Budget never blocks and is safe for concurrent use. It must not be copied
// after first use. Times passed in must come from one clock; one that is
// earlier than the latest seen is taken as that.
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

// NewBudget returns a budget for other settings than those of the zero Budget.
// The share is from 0 to 1, the floor a number of retries of at least 0, and the
// window is positive; anything else is an error that matches [ErrInvalid]. A
// share and a floor of 0 allow no retry at all.
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

// Request counts a first attempt. Call it once for every request, also for those
// that succeed: they are the traffic that the share is taken of.
func (b *Budget) Request(now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fade(now)
	b.requests++
}

// Retry asks for one retry and counts it if it is allowed. [Strategy.Next] does
// it for a strategy's user.
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

// Refund gives back the retry that was allowed at the time taken and was not
// sent after all, for instance because the caller gave up waiting. What has
// faded of it since then is not given back twice.
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
	// Requests and Retries are the counts of the last window, with the older
	// part of them faded.
	Requests, Retries float64
	// Free is how many retries would be allowed right now; math.MaxInt is without
	// bound.
	Free int
	// Allowed and Denied count the answers since the budget was made. Refunds do
	// not change them.
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

// settings needs no lock: the fields do not change.
func (b *Budget) settings() (share, floor float64, window time.Duration) {
	if b.window == 0 {
		return defaultShare, defaultFloor, defaultWindow
	}
	return b.share, b.floor, b.window
}

// free returns how many retries could be allowed; b.mu must be held. It is never
// negative: it was not when the last retry was allowed, and it grows from there.
func (b *Budget) free() float64 {
	share, floor, _ := b.settings()
	// In floats 0.29 × 100 is a crumb less than 29.
	const crumb = 1e-9
	return floor + share*b.requests - b.retries + crumb
}

// fade lets the counts fade until now; b.mu must be held.
func (b *Budget) fade(now time.Time) {
	passed := now.Sub(b.latest) // very long at first, when there is nothing to fade
	_, _, window := b.settings()
	if passed <= window/1024 { // too little to fade is not worth the work
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
