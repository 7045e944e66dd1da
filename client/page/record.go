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
	waitCount  = 64              // how many waits the percentiles cover
	entryCount = 8               // how many events are kept
)

// A record is the history of one key.
type record struct {
	mu      sync.Mutex
	sent    int
	slots   [slotCount]slot // a ring, by time
	waits   [waitCount]float32
	entries [entryCount]entry
	noted   int       // number of entries so far, not counting repeats
	start   time.Time // when the newest request will be sent, as estimated when it arrived
}

// A slot counts what happened in a few seconds.
type slot struct {
	number        int64 // since 1970, in steps of slotLength
	sent, refused int32
}

// An entry is an event that the page shows, and how often it occurred in a row.
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

// add records an event. The caller must hold r.mu.
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
	method := ""
	if e.Request != nil {
		method = e.Request.Method
	}
	r.note(entry{
		kind: e.Kind, time: e.Time, method: method, limit: e.Limit, until: e.Until,
		delay: e.Delay, ahead: e.Ahead, status: e.Status, why: reason(e.Err), times: 1,
	})
}

// note keeps an entry. If it is like the last one, it replaces it: a thousand requests that
// wait for the same limit are one entry.
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

// slot returns the slot for a time.
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

// percentiles returns the median and the 95th percentile of the last waits, in seconds.
func (r *record) percentiles() (p50, p95 float64) {
	n := min(r.sent, waitCount)
	if n == 0 {
		return 0, 0
	}
	waits := slices.Sorted(slices.Values(r.waits[:n]))
	return float64(waits[(n-1)/2]), float64(waits[(n-1)*95/100])
}

// told returns the entries, newest first.
func (r *record) told() []entry {
	n := min(r.noted, entryCount)
	told := make([]entry, n)
	for i := range told {
		told[i] = r.entries[(r.noted-1-i)%entryCount]
	}
	return told
}
