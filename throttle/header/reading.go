package header

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// Reading is what one response says about rate limits. Its zero value is ready
// for Read, and it is meant to be used again: Read keeps the memory of the
// reading before. It is not safe for concurrent use.
//
// Its strings are parts of the header and the body that were read, so a Window
// that outlives them for long is better copied with its Clone.
type Reading struct {
	// Windows holds the limits that the response told, without those of which
	// it told nothing but a name, sorted by Length and Name. At most 64.
	Windows []Window
	// Wait is how long the server wants to be left alone. On a refusal it is
	// what the server named, or else what follows from the windows; on other
	// answers it is known only if the server asked for a pause and meant it.
	Wait Wait
	// Refused reports whether the server turned the request away because of a
	// limit: 429 and its like, and 400, 401, 402, 403, 418, 425, 503, 529 or even 200 if the
	// rest of the response says so. A 503 that gives no hint is a broken server instead.
	Refused bool
	// Reason says what a refused request ran into, as far as the response tells.
	// It is Unspecified when Refused is false.
	Reason Reason
	// Paused reports that the server asks all to stay away for Wait, though it served
	// the request: Backoff, or a Retry-After that is meant on a success.
	Paused bool
	// Stale reports that a cache answered (Age, X-Cache and the like). The windows
	// are those of another, older response and say nothing about now.
	Stale bool
	// Date is when the server made the response, by its own clock. It is zero
	// when the response does not tell, and on a success that tells no moment by that
	// clock: delays need none. Date and Stale may be left at zero when nothing else in
	// the response is about limits, to save the time.
	Date time.Time

	findings   bodyFindings // what error codes and the body say
	dirty      bool         // said is not zero
	hits       []hit
	parts      []part
	bare       bool // a name without a role has a plain number
	shared     bool // something is told as a share of a limit
	costs      bool // the response tells what the request cost, and requests of the host do not all cost one
	costly     bool // another request of the host cost something other than one
	frank      bool // the host says in bodies of 200 and 500 that it refuses
	asides     []aside
	policies   []policy
	unit       string // what the windows of unitFamily count, if a field of its own tells it
	unitFamily string
	periods    []Period // of the dialect
	waits      waits
	date       string
	lastDate   string    // the Date field of the reading before
	lastTime   time.Time // and what it says
	sorted     bool      // hits are in the order of their names, and alike is known
	alike      bool      // hits are about one window
	turn       uint32    // which field of no interest a Reader looks up next, as a share of 1<<32 of them
	quiet      bool      // nothing in the header of a success is seen beside refusals
	text       int       // how much text has been looked at
	status     int
	now        time.Time
}

// Wait is how long to leave the server alone. The zero value is not known.
type Wait struct {
	// Reset is the end of the wait as the server told it.
	Reset
	// Delay is how long the wait is from the moment at which the response was
	// made, which the Date field tells, else from its receipt. It is never
	// negative and at most a hundred years.
	Delay time.Duration
	// Explicit reports that the server named the wait, in a field such as
	// Retry-After or in the body. Otherwise it was derived from the resets of
	// the exhausted windows, and may be too long: some servers tell when a
	// window will be full again, not when the next request fits.
	Explicit bool
}

// hit is a field of the response that is about limits.
type hit struct {
	*names.Field
	values []string
}

// Limits of the work that a response can cause.
const (
	maxHits    = 64
	maxWindows = 64
	maxValues  = 64       // of one field
	maxValue   = 8 << 10  // bytes of one value that are looked at
	maxText    = 32 << 10 // bytes of all values, as far as they are no plain numbers
	maxNames   = 512      // names of fields that are looked at one by one
)

// Read reads a response: its status code, its header, as much of its body as
// the caller has at hand (nil for none; see NeedsBody), and now, the time of
// receipt. It overwrites the reading before. Field names are matched without
// regard to case, also in a map that was not filled through http.Header.Set.
//
// No header and no body makes it fail or take more than linear time. What
// cannot be read counts as absent, except that its Count is Malformed.
func (r *Reading) Read(status int, h http.Header, body []byte, now time.Time) {
	r.begin(status, now)
	r.scan(h)
	r.finish(body)
}

// begin forgets the reading before.
func (r *Reading) begin(status int, now time.Time) {
	r.reset()
	r.periods, r.status, r.now, r.costs, r.costly, r.frank = nil, status, now, false, false, false
}

// reset forgets what the reading before said. That is faster than the assignment of a
// whole Reading; the rest is left to finish.
func (r *Reading) reset() {
	clear(r.hits)
	r.hits, r.Windows = r.hits[:0], r.Windows[:0]
	r.Wait, r.Reason, r.Paused = Wait{}, Unspecified, false
	r.Refused, r.Stale, r.sorted, r.alike, r.quiet = false, false, false, false, false
	r.Date, r.date = time.Time{}, ""
	if r.dirty {
		r.findings, r.dirty = bodyFindings{}, false
	}
}

// scan collects the fields that are about limits.
func (r *Reading) scan(h http.Header) {
	if len(h) > maxNames {
		r.scanCommon(h)
		return
	}
	for name, values := range h {
		if len(values) == 0 {
			continue
		}
		if f := names.Of(name); f.Role != names.RoleNone {
			r.collect(f, values)
		}
	}
}

// common are the names that are looked for in a header of absurdly many names.
var common = [...]string{"Age", "Date", "Ratelimit", "Ratelimit-Limit", "Ratelimit-Policy", "Ratelimit-Remaining",
	"Ratelimit-Reset", "Retry-After", "X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset",
	"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"}

// scanCommon bounds the work that a header of thousands of names can make.
func (r *Reading) scanCommon(h http.Header) {
	for _, name := range common {
		if values := h[name]; len(values) > 0 {
			r.collect(names.Of(name), values)
		}
	}
}

// collect keeps a field for finish, or uses it at once if it says nothing of a
// window.
func (r *Reading) collect(f *names.Field, values []string) {
	switch f.Role {
	case names.RoleDate:
		r.date = values[0]
	case names.RoleAge:
		if n, ok := scan.ParseNumber(scan.Trim(values[0])); ok && !n.Minus && !n.Zero() {
			r.Stale = true
		}
	case names.RoleCache:
		r.Stale = r.Stale || saysCached(values[0])
	case names.RoleCode:
		if r.status >= 400 {
			r.findings.readCodeAlone(values[0])
			r.dirty = true
		}
	default:
		if len(r.hits) < maxHits {
			r.hits = append(r.hits, hit{f, values})
			return
		}
		// Too many to be true. Keep the first ones by name, so that the order of
		// a map does not decide what is read.
		last := 0
		for i := range r.hits {
			if r.hits[i].Name > r.hits[last].Name {
				last = i
			}
		}
		if f.Name < r.hits[last].Name {
			r.hits[last] = hit{f, values}
		}
	}
}

// saysCached reads X-From-Cache: 1, and the words of X-Cache and CF-Cache-Status.
func saysCached(v string) bool {
	for v != "" {
		var word string
		word, v = cutMember(v)
		if word == "1" || scan.HasFold(word, "hit") || scan.HasFold(word, "tcp_hit") || scan.HasFold(word, "tcp_mem_hit") ||
			scan.HasFold(word, "stale") || scan.HasFold(word, "updating") {
			return true
		}
	}
	return false
}

// finish turns the fields collected into windows and a wait.
func (r *Reading) finish(body []byte) {
	if len(r.hits) == 0 && len(body) == 0 && !mayRefuse(r.status) {
		return
	}
	if len(body) == 0 && r.status < 300 && r.quick() {
		if r.tellsMoment() {
			r.Date = r.readDate()
		}
		return
	}
	r.Date = r.readDate()
	r.parts, r.asides, r.policies, r.text, r.bare, r.shared = r.parts[:0], r.asides[:0], r.policies[:0], 0, false, false
	r.unit, r.unitFamily, r.waits = "", "", waits{base: r.base()}
	if !r.sorted {
		sortHits(r.hits)
	}
	for i := range r.hits {
		r.assign(r.hits[i].Field, r.hits[i].values)
	}
	for i := 0; r.bare && i < len(r.hits); i++ {
		r.assignBare(r.hits[i].Field, r.hits[i].values)
	}
	if len(body) > 0 {
		r.readBody(body, &r.findings)
		r.dirty = true
	} else if r.dirty {
		r.findings.finish() // a code in the header
	}
	r.assemble()
	r.judge(&r.findings)
	if r.status < 300 && !r.tellsMoment() {
		r.Date = time.Time{}
	}
}

// tellsMoment reports whether something that was read is a moment by the clock of the
// server, which only its Date relates to ours.
func (r *Reading) tellsMoment() bool {
	if r.Refused || r.Wait.Known() {
		return true
	}
	for i := range r.Windows {
		if !r.Windows[i].Reset.At.IsZero() {
			return true
		}
	}
	return false
}

// readDate reads the Date field. Busy servers send the same one many times over.
func (r *Reading) readDate() time.Time {
	if r.date == r.lastDate {
		return r.lastTime
	}
	t, ok := scan.ParseIMF(r.date)
	if !ok {
		t, _, _ = scan.ParseDate(scan.Trim(r.date))
	}
	r.lastDate, r.lastTime = r.date, t
	return t
}

// base returns the moment from which the response counts its delays, on the
// clock by which it tells its instants.
func (r *Reading) base() time.Time {
	if r.Date.IsZero() || r.Stale {
		return r.now
	}
	return r.Date
}

// sortHits brings the fields, which come in the random order of a map, into one
// that is always the same.
func sortHits(all []hit) {
	for i := 1; i < len(all); i++ {
		for k := i; k > 0 && all[k].Name < all[k-1].Name; k-- {
			all[k], all[k-1] = all[k-1], all[k]
		}
	}
}
