package page

import (
	"slices"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
)

const (
	slotLength = 5 * time.Second // of one bar of the history
	slotCount  = 60              // so the history is five minutes long
	waitCount  = 64              // how many waits the percentiles are of
	entryCount = 8               // how many events are kept
)

// A record is the history of one key.
type record struct {
	mu      sync.Mutex
	sent    int
	slots   [slotCount]slot // a ring, by time
	waits   [waitCount]float32
	entries [entryCount]entry
	noted   int       // how many entries there were, without repeats
	start   time.Time // when the request will go that came last, as far as was known then
}

// A slot counts what happened in a few seconds.
type slot struct {
	number        int64 // since 1970, in steps of slotLength
	sent, refused int32
}

// An entry is an event that is worth telling, and how often it came in a row.
type entry struct {
	kind   client.EventKind
	time   time.Time
	method string
	limit  string
	until  time.Time
	delay  time.Duration
	ahead  int
	status int
	why    string
	times  int
}

// add takes in an event. The caller holds r.mu.
func (r *record) add(e *client.Event) {
	switch e.Kind {
	case client.EventWait:
		r.start = e.Until
	case client.EventAdmit:
		r.waits[r.sent%waitCount] = float32(e.Delay.Seconds())
		r.sent++
		r.slot(e.Time).sent++
		return
	case client.EventAnswer:
		return
	case client.EventRefuse:
		r.slot(e.Time).refused++
	}
	r.note(entry{
		kind: e.Kind, time: e.Time, method: e.Request.Method, limit: e.Limit, until: e.Until,
		delay: e.Delay, ahead: e.Ahead, status: e.Status, why: reason(e.Err), times: 1,
	})
}

// note keeps an entry. One like the last one takes its place: a thousand requests that
// wait for the same limit are one event.
func (r *record) note(e entry) {
	if r.noted > 0 {
		last := &r.entries[(r.noted-1)%entryCount]
		if last.kind == e.kind && last.limit == e.limit && last.status == e.status && last.why == e.why {
			e.times += last.times
			*last = e
			return
		}
	}
	r.entries[r.noted%entryCount] = e
	r.noted++
}

// slot returns the slot of a moment.
func (r *record) slot(now time.Time) *slot {
	n := slotOf(now)
	s := &r.slots[n%slotCount]
	if s.number != n {
		*s = slot{number: n}
	}
	return s
}

func slotOf(t time.Time) int64 { return t.UnixNano() / int64(slotLength) }

// history returns what happened in the last slots, the oldest first.
func (r *record) history(now time.Time) []Slot {
	h := make([]Slot, slotCount)
	for i := range h {
		n := slotOf(now) - int64(slotCount-1-i)
		if s := r.slots[n%slotCount]; s.number == n {
			h[i] = Slot{Sent: int(s.sent), Refused: int(s.refused)}
		}
	}
	return h
}

// recent returns how many requests were sent within the history.
func (r *record) recent(now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, first := 0, slotOf(now)-slotCount
	for _, s := range r.slots {
		if s.number > first {
			n += int(s.sent)
		}
	}
	return n
}

// percentiles returns how many seconds half of the last requests waited at most, and
// how many 95 of a hundred did.
func (r *record) percentiles() (p50, p95 float64) {
	n := min(r.sent, waitCount)
	if n == 0 {
		return 0, 0
	}
	waits := slices.Sorted(slices.Values(r.waits[:n]))
	return float64(waits[(n-1)/2]), float64(waits[(n-1)*95/100])
}

// told returns the entries, the newest first.
func (r *record) told() []entry {
	n := min(r.noted, entryCount)
	told := make([]entry, n)
	for i := range told {
		told[i] = r.entries[(r.noted-1-i)%entryCount]
	}
	return told
}
