// Package eventlog keeps when the requests of a limit were sent, and counts those of any
// period. It reads no clock and imports nothing but package clock.
package eventlog

import (
	"sort"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// most is about how many entries a log keeps, of three windows.
// Where they hold more requests, it goes in steps of three lengths of the window
// over most, which costs at most one such step of time a window.
const most = 1024

// A Log is the sliding log of the requests of one window. Entries merge when
// there would be too many; a merged entry counts from its last request, so that
// the log errs only towards waiting. The zero value is empty.
type Log struct {
	entries []Entry       // a ring; its length is a power of two
	first   int           // index of the oldest
	size    int           // how many are in use
	gone    int64         // what the entries dropped so far counted
	Grain   clock.Instant // entries closer than this merge
}

// An Entry stands for requests that were sent close together.
type Entry struct {
	From, Last clock.Instant
	sum        int64 // of all requests up to and with these
}

// SetGrain fits the log to a window.
func (h *Log) SetGrain(limit int64, length clock.Instant) {
	h.Grain = 0
	if 3*limit > most {
		h.Grain = 3 * length / most
	}
}

// Add counts n more at now.
func (h *Log) Add(now clock.Instant, n int64) {
	sum := h.Sum() + n
	if h.size > 0 {
		last := h.at(h.size - 1)
		if h.size >= 2*most || now-last.From < h.Grain || now == last.Last {
			last.Last, last.sum = now, sum
			return
		}
	}
	if h.size == len(h.entries) {
		h.grow()
	}
	h.size++
	*h.at(h.size - 1) = Entry{now, now, sum}
}

// Last returns when the newest request was sent that the log holds; never before where there is none.
func (h *Log) Last() clock.Instant {
	if h.size == 0 {
		return -clock.Never / 2
	}
	return h.at(h.size - 1).Last
}

// Sum is what all requests of the log's life count.
func (h *Log) Sum() int64 {
	if h.size == 0 {
		return h.gone
	}
	return h.at(h.size - 1).sum
}

func (h *Log) at(i int) *Entry {
	return &h.entries[(h.first+i)&(len(h.entries)-1)]
}

func (h *Log) grow() {
	entries := make([]Entry, max(8, 2*len(h.entries)))
	for i := range h.size {
		entries[i] = *h.at(i)
	}
	h.entries, h.first = entries, 0
}

// Forget drops what was sent up to since.
func (h *Log) Forget(since clock.Instant) {
	for h.size > 0 && h.entries[h.first].Last <= since {
		h.gone = h.entries[h.first].sum
		h.first = (h.first + 1) & (len(h.entries) - 1)
		h.size--
	}
}

// search returns the index of the oldest entry of which the condition holds, which
// must hold of all that follow it too.
func (h *Log) search(holds func(*Entry) bool) int {
	return sort.Search(h.size, func(i int) bool { return holds(h.at(i)) })
}

// After counts what was sent after since.
func (h *Log) After(since clock.Instant) int64 {
	if h.size == 0 || h.at(0).Last > since {
		return h.Sum() - h.gone
	}
	if h.at(h.size-1).Last <= since {
		return 0
	}
	before, i := 0, h.size // since lies between what these stand for
	for i-before > 1 {
		if middle := (before + i) / 2; h.at(middle).Last > since {
			i = middle
		} else {
			before = middle
		}
	}
	return h.Sum() - h.at(before).sum
}

// FallsTo returns the instant of the request with which, once it and all before
// it are dropped, at most n are left. It is long ago when there are no more now.
func (h *Log) FallsTo(n int64) clock.Instant {
	sum := h.Sum()
	if sum-h.gone <= n || h.size == 0 {
		return -clock.Never / 2
	}
	return h.at(h.search(func(e *Entry) bool { return sum-e.sum <= n })).Last
}

// FirstAfter returns the instant of the first request that was sent after since,
// or never when there was none.
func (h *Log) FirstAfter(since clock.Instant) clock.Instant {
	i := h.search(func(e *Entry) bool { return e.Last > since })
	if i == h.size {
		return clock.Never
	}
	return h.at(i).From
}

// Between counts what was sent after since, up to until.
func (h *Log) Between(since, until clock.Instant) int64 { return h.After(since) - h.After(until) }

// Remove takes back n that were counted at the given instant.
func (h *Log) Remove(at clock.Instant, n int64) {
	if h.size == 0 || at < h.at(0).From {
		return
	}
	for i := h.search(func(e *Entry) bool { return e.Last >= at }); i < h.size; i++ {
		h.at(i).sum -= n
	}
}

// Empty reports whether the log holds no request.
func (h *Log) Empty() bool { return h.size == 0 }

// coarse is which part of its age an entry of long ago may last.
const coarse = 16

// Condense merges entries of the older half, two by two, if there are many: the older
// requests are, the less exactly the log knows when they were sent.
func (h *Log) Condense() {
	if h.size < most {
		return
	}
	now := h.at(h.size - 1).Last
	for part, size := clock.Instant(coarse), h.size; h.size > size-size/8; part /= 2 {
		h.merge(now, part)
	}
}

// merge merges each two entries of the older half that then last no longer than a part of
// their age.
func (h *Log) merge(now, part clock.Instant) {
	half, kept := h.size/2, 0
	for i := 0; i < h.size; i, kept = i+1, kept+1 {
		e := *h.at(i)
		if i+1 < half {
			if next := h.at(i + 1); part*(next.Last-e.From) <= now-next.Last {
				i++
				e = Entry{e.From, next.Last, next.sum}
			}
		}
		*h.at(kept) = e
	}
	h.size = kept
}

// atRest is how many entries a log keeps while nothing is sent.
const atRest = 8

// Fit gives back the memory that the log does not need while nothing is sent.
func (h *Log) Fit() {
	for h.size > atRest {
		h.halve()
	}
	if h.size == 0 {
		h.entries, h.first = nil, 0
		return
	}
	if len(h.entries) > atRest {
		entries := make([]Entry, atRest)
		for i := range h.size {
			entries[i] = *h.at(i)
		}
		h.entries, h.first = entries, 0
	}
}

// halve merges each two entries.
func (h *Log) halve() {
	size := h.size
	h.size = (size + 1) / 2
	for i := range h.size {
		a, b := *h.at(2 * i), *h.at(min(2*i+1, size-1))
		*h.at(i) = Entry{a.From, b.Last, b.sum}
	}
}

// Weigh counts what was sent up to until, each for as much of span as left says.
func (h *Log) Weigh(until, span clock.Instant, left func(*Entry) clock.Instant) float64 {
	weight, before := 0.0, h.gone
	for i := range h.size {
		e := h.at(i)
		if e.Last > until {
			break
		}
		if part := left(e); part > 0 {
			weight += float64(e.sum-before) * float64(part) / float64(span)
		}
		before = e.sum
	}
	return weight
}
