package throttle

import "sort"

// historySize is about the most entries that a history keeps, of three windows.
// Where they hold more requests, it goes in steps of three lengths of the window
// over historySize, which costs at most one such step of time a window.
const historySize = 1024

// A history is the sliding log of the requests of one window. Entries merge when
// there would be too many; a merged entry counts from its last request, so that
// the log errs only towards waiting. The zero value is empty.
type history struct {
	entries []entry // a ring; its length is a power of two
	first   int     // index of the oldest
	size    int     // how many are in use
	gone    int64   // what the entries dropped so far counted
	grain   instant // entries closer than this merge
}

// An entry stands for requests that were sent close together.
type entry struct {
	from, last instant
	sum        int64 // of all requests up to and with these
}

// setGrain fits the log to a window.
func (h *history) setGrain(limit int64, length instant) {
	h.grain = 0
	if 3*limit > historySize {
		h.grain = 3 * length / historySize
	}
}

// add counts n more at now.
func (h *history) add(now instant, n int64) {
	sum := h.sum() + n
	if h.size > 0 {
		last := h.at(h.size - 1)
		if h.size >= 2*historySize || now-last.from < h.grain || now == last.last {
			last.last, last.sum = now, sum
			return
		}
	}
	if h.size == len(h.entries) {
		h.grow()
	}
	h.size++
	*h.at(h.size - 1) = entry{now, now, sum}
}

// sum is what all requests of the log's life count.
func (h *history) sum() int64 {
	if h.size == 0 {
		return h.gone
	}
	return h.at(h.size - 1).sum
}

func (h *history) at(i int) *entry {
	return &h.entries[(h.first+i)&(len(h.entries)-1)]
}

func (h *history) grow() {
	entries := make([]entry, max(8, 2*len(h.entries)))
	for i := range h.size {
		entries[i] = *h.at(i)
	}
	h.entries, h.first = entries, 0
}

// forget drops what was sent up to since.
func (h *history) forget(since instant) {
	for h.size > 0 && h.entries[h.first].last <= since {
		h.gone = h.entries[h.first].sum
		h.first = (h.first + 1) & (len(h.entries) - 1)
		h.size--
	}
}

// search returns the index of the oldest entry of which the condition holds, which
// must hold of all that follow it too.
func (h *history) search(holds func(*entry) bool) int {
	return sort.Search(h.size, func(i int) bool { return holds(h.at(i)) })
}

// after counts what was sent after since.
func (h *history) after(since instant) int64 {
	if h.size == 0 || h.at(0).last > since {
		return h.sum() - h.gone
	}
	if h.at(h.size-1).last <= since {
		return 0
	}
	before, i := 0, h.size // since lies between what these stand for
	for i-before > 1 {
		if middle := (before + i) / 2; h.at(middle).last > since {
			i = middle
		} else {
			before = middle
		}
	}
	return h.sum() - h.at(before).sum
}

// fallsTo returns the instant of the request with which, once it and all before
// it are dropped, at most n are left. It is long ago when there are no more now.
func (h *history) fallsTo(n int64) instant {
	sum := h.sum()
	if sum-h.gone <= n || h.size == 0 {
		return -never / 2
	}
	return h.at(h.search(func(e *entry) bool { return sum-e.sum <= n })).last
}

// firstAfter returns the instant of the first request that was sent after since,
// or never when there was none.
func (h *history) firstAfter(since instant) instant {
	i := h.search(func(e *entry) bool { return e.last > since })
	if i == h.size {
		return never
	}
	return h.at(i).from
}

// between counts what was sent after since, up to until.
func (h *history) between(since, until instant) int64 { return h.after(since) - h.after(until) }

// remove takes back n that were counted at the given instant.
func (h *history) remove(at instant, n int64) {
	if h.size == 0 || at < h.at(0).from {
		return
	}
	for i := h.search(func(e *entry) bool { return e.last >= at }); i < h.size; i++ {
		h.at(i).sum -= n
	}
}

// condense merges each two entries of the older half.
func (h *history) condense() {
	half := h.size / 4 * 2
	kept := h.size - half/2
	for i := range half / 2 {
		a, b := h.at(2*i), h.at(2*i+1)
		*h.at(i) = entry{a.from, b.last, b.sum}
	}
	for i := half; i < h.size; i++ {
		*h.at(i - half/2) = *h.at(i)
	}
	h.size = kept
}

// atRest is how many entries a log keeps while nothing is sent.
const atRest = 8

// fit gives back the memory that the log does not need while nothing is sent.
func (h *history) fit() {
	for h.size > atRest {
		h.halve()
	}
	if h.size == 0 {
		h.entries, h.first = nil, 0
		return
	}
	if len(h.entries) > atRest {
		entries := make([]entry, atRest)
		for i := range h.size {
			entries[i] = *h.at(i)
		}
		h.entries, h.first = entries, 0
	}
}

// halve merges each two entries.
func (h *history) halve() {
	size := h.size
	h.size = (size + 1) / 2
	for i := range h.size {
		a, b := *h.at(2 * i), *h.at(min(2*i+1, size-1))
		*h.at(i) = entry{a.from, b.last, b.sum}
	}
}

// weigh counts what was sent up to until, each for as much of span as left says.
func (h *history) weigh(until, span instant, left func(*entry) instant) float64 {
	weight, before := 0.0, h.gone
	for i := range h.size {
		e := h.at(i)
		if e.last > until {
			break
		}
		if part := left(e); part > 0 {
			weight += float64(e.sum-before) * float64(part) / float64(span)
		}
		before = e.sum
	}
	return weight
}
