package ratemodel

import (
	"math"
	"math/bits"
	"time"
)

// Bucket is a token bucket, which is also what GCRA computes: it holds at most
// its capacity, is full at first, and refills evenly. Its limit is the capacity
// and its length the time that filling it from empty takes.
type Bucket struct {
	// Name is the window's name. Set it before the first use, as the other.
	Name string
	// Reset says which moment is announced; by default that at which the next
	// token arrives.
	Reset ResetRule

	// The level is kept in whole units, of which a token has so many that each
	// nanosecond brings a whole number of them. Nothing is ever rounded.
	capacity int
	token    int64 // units in a token
	flow     int64 // units in a nanosecond
	level    int64 // at the moment last
	last     time.Time
}

// NewBucket returns a full bucket of capacity tokens into which refill tokens
// flow evenly in each period per. It panics unless all are positive, and when
// the time to fill it passes what a time.Duration can hold.
func NewBucket(capacity, refill int, per time.Duration) *Bucket {
	check(capacity, per)
	check(refill, per)
	g := gcd(int64(refill), int64(per))
	b := &Bucket{capacity: capacity, token: int64(per) / g, flow: int64(refill) / g}
	if hi, lo := bits.Mul64(uint64(capacity), uint64(b.token)); hi > 0 || lo > math.MaxInt64/2 {
		panic("ratemodel: the bucket takes too long to fill")
	}
	b.level = b.full()
	return b
}

// Admit implements Model.
func (b *Bucket) Admit(now time.Time) bool {
	level := b.at(now)
	if level < b.token {
		return false
	}
	b.level, b.last = level-b.token, now
	return true
}

// Next implements Model.
func (b *Bucket) Next(now time.Time) time.Time {
	return now.Add(b.until(b.at(now), b.token))
}

// Windows implements Model.
func (b *Bucket) Windows(dst []Window, now time.Time) []Window {
	level := b.at(now)
	w := Window{
		Name: b.Name, Limit: b.capacity, Remaining: int(level / b.token),
		Length: b.until(0, b.full()),
	}
	switch b.Reset {
	case ResetNext:
		next := min((level/b.token+1)*b.token, b.full())
		w.Reset = now.Add(b.until(level, next))
	case ResetFull:
		w.Reset = now.Add(b.until(level, b.full()))
	}
	return append(dst, w)
}

func (b *Bucket) full() int64 { return int64(b.capacity) * b.token }

// at returns the level at now.
func (b *Bucket) at(now time.Time) int64 {
	if b.level == b.full() {
		return b.level
	}
	// Compare times before multiplying: a long absence would overflow.
	past := now.Sub(b.last)
	if past >= b.until(b.level, b.full()) {
		return b.full()
	}
	return b.level + int64(past)*b.flow
}

// until returns how long the level takes from one mark to another, rounded up
// to the nanosecond at which it is there.
func (b *Bucket) until(from, to int64) time.Duration {
	if from >= to {
		return 0
	}
	return time.Duration((to - from + b.flow - 1) / b.flow)
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
