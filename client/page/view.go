package page

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle"
)

// A View is what a page shows. The page serves it as JSON to requests that accept
// application/json.
type View struct {
	Time time.Time `json:"time"`
	// Keys are the busiest keys: those with the most waiting requests first, then those
	// with the most requests sent in the last minutes.
	Keys []Key `json:"keys"`
	// Found is how many keys match the search, and Waiting how many requests of these
	// keys wait in total.
	Found   int `json:"found"`
	Waiting int `json:"waiting"`
	// Search is the text that was searched for.
	Search string `json:"search,omitempty"`
}

// A Key is the state of one key.
type Key struct {
	Counts
	ID   string `json:"id"` // the beginning of the key's hash
	Host string `json:"host,omitempty"`
	Name string `json:"name,omitempty"` // see client.WithKeyName
	// Shared tells how the quota is shared with other processes; nil without a fleet.
	Shared *Sharing `json:"shared,omitempty"`

	Limits   []Limit `json:"limits"`
	Waiting  int     `json:"waiting"`
	InFlight int     `json:"in_flight"`
	// Empty is about when the last waiting request will be sent; zero if none waits, or if
	// that is not known.
	Empty time.Time `json:"empty,omitzero"`
	// Hold is when the wait that a refusal asked for ends; zero if there is none.
	Hold time.Time `json:"hold,omitzero"`

	// P50 and P95 are the median and the 95th percentile of the seconds that the last 64
	// requests waited.
	P50     float64 `json:"wait_p50"`
	P95     float64 `json:"wait_p95"`
	History []Slot  `json:"history,omitempty"` // five seconds each, the oldest first
	Events  []Event `json:"events,omitempty"`  // the newest first
}

// Counts counts the outcomes of a key's requests; see [client.Counts].
type Counts struct {
	Sent    uint64 `json:"sent"`
	Refused uint64 `json:"refused"`
	Retried uint64 `json:"retried"`
	GivenUp uint64 `json:"given_up"`
}

// A Limit is the state of one limit.
type Limit struct {
	Name  string `json:"name"`
	Unit  string `json:"unit,omitempty"`
	Scope string `json:"scope,omitempty"`
	Kind  string `json:"kind,omitempty"` // "rule" if the program declared the limit
	// Max is the most that the limit allows, and Left what is left of it; both are
	// below 0 if the server did not say.
	Max  int `json:"max"`
	Left int `json:"left"`
	// Seconds is the limit's period, and Rate how many requests a second it allows; each
	// is 0 if not known.
	Seconds float64 `json:"seconds,omitempty"`
	Rate    float64 `json:"rate,omitempty"`
	// Opens is when the limit resets, or when all of the limit of a rule is there again;
	// zero if that is not known, or past.
	Opens time.Time `json:"opens,omitzero"`
	// Others reports whether other clients spend the same quota.
	Others bool `json:"others,omitempty"`
}

// A Slot counts what happened in five seconds.
type Slot struct {
	Sent    int `json:"sent"`
	Refused int `json:"refused"`
}

// An Event is something that happened, in words.
type Event struct {
	Time time.Time `json:"time"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
}

// A query selects what to show.
type query struct {
	search string
	most   int
	shown  []string // IDs of the keys that keep their places
}

const (
	usualKeys = 50
	mostKeys  = 1000
	idLength  = 12
)

func queryOf(v url.Values) query {
	n, err := strconv.Atoi(v.Get("n"))
	if err != nil || n <= 0 {
		n = usualKeys
	}
	return query{search: clean(strings.TrimSpace(v.Get("q"))), most: min(n, mostKeys)}
}

// view makes a view from a snapshot and the limits of rules.
func (p *Page) view(now time.Time, all []client.Status, rules *declared, q *query) *View {
	v := &View{Time: now.UTC(), Keys: []Key{}, Search: q.search}
	type found struct {
		parts  []client.Status // of one key
		record *record
		recent int
		place  int // on the page; 0 if it is not shown yet
	}
	var keys []found
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Key == all[0].Key {
			n++
		}
		f := found{parts: all[:n], record: p.find(all[0].Key)}
		all = all[n:]
		if !q.matches(&f.parts[0]) {
			continue
		}
		if f.record != nil {
			f.recent = f.record.recent(now)
		}
		f.place = 1 + slices.Index(q.shown, id(f.parts[0].Key))
		v.Waiting += f.parts[0].Waiting
		keys = append(keys, f)
	}
	v.Found = len(keys)
	slices.SortFunc(keys, func(a, b found) int {
		return cmp.Or(
			first(a.place, b.place),
			cmp.Compare(b.parts[0].Waiting, a.parts[0].Waiting),
			cmp.Compare(b.recent, a.recent),
			strings.Compare(a.parts[0].Key, b.parts[0].Key),
		)
	})
	for _, f := range keys[:min(q.most, len(keys))] {
		v.Keys = append(v.Keys, keyOf(now, f.parts, rules, f.record))
	}
	return v
}

// first compares places; 0 comes last.
func first(a, b int) int {
	switch {
	case a == b:
		return 0
	case a == 0:
		return 1
	case b == 0:
		return -1
	}
	return cmp.Compare(a, b)
}

func id(key string) string { return key[:min(idLength, len(key))] }

// matches reports whether the search finds a key.
func (q *query) matches(s *client.Status) bool {
	wanted := strings.ToLower(q.search)
	return strings.Contains(id(s.Key), wanted) || strings.Contains(strings.ToLower(s.Host), wanted) ||
		strings.Contains(strings.ToLower(s.Name), wanted)
}

// keyOf returns the state of a key from its statuses, of which there is at least one.
func keyOf(now time.Time, parts []client.Status, rules *declared, r *record) Key {
	whole := &parts[0]
	k := Key{
		ID: id(whole.Key), Host: clean(whole.Host), Name: clean(whole.Name), Waiting: whole.Waiting, Limits: []Limit{}, Shared: sharingOf(whole.Shared),
		Counts: Counts{
			Sent: whole.Counts.Sent, Refused: whole.Counts.Refused, Retried: whole.Counts.Retried, GivenUp: whole.Counts.GivenUp,
		},
	}
	for i := range parts {
		k.InFlight += parts[i].InFlight
		if parts[i].Hold.After(now) && parts[i].Hold.After(k.Hold) {
			k.Hold = parts[i].Hold
		}
		for j := range parts[i].Windows {
			k.Limits = append(k.Limits, limitOf(now, &parts[i].Windows[j]))
		}
	}
	k.Limits = append(k.Limits, rules.limits(now, whole)...)
	if k.Waiting > 0 {
		k.Empty = emptyAt(now, k.Waiting, whole.Windows)
	}
	if r != nil {
		k.read(now, r)
	}
	return k
}

// read adds the history of a key.
func (k *Key) read(now time.Time, r *record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k.P50, k.P95 = r.percentiles()
	k.History = r.history(now)
	for _, e := range r.told() {
		k.Events = append(k.Events, Event{Time: e.time, Kind: string(e.kind), Text: e.text()})
	}
	if k.Waiting > 0 && r.start.After(now) && k.Empty.Before(r.start) {
		k.Empty = r.start
	}
}

func limitOf(now time.Time, w *throttle.WindowStatus) Limit {
	l := Limit{
		Name: clean(w.Name), Unit: clean(w.Unit), Scope: clean(w.Scope), Kind: string(w.Kind), Max: w.Limit, Left: w.Credit,
		Seconds: w.Length.Seconds(), Rate: w.Rate, Others: w.Others,
	}
	switch {
	case w.Limit < 0:
		l.Left = -1
	default:
		l.Left = min(max(w.Credit, 0), w.Limit)
	}
	switch {
	case w.Latest.After(now):
		l.Opens = w.Latest
	case !w.Latest.IsZero() && w.Limit >= 0 && (w.Kind == throttle.Unknown || w.Kind == throttle.Fixed):
		l.Left = w.Limit // a new window has begun; the next response shows what others spent
	}
	return l
}

// emptyAt returns about when the last of the waiting requests will be sent, or zero if no
// limit determines that.
func emptyAt(now time.Time, waiting int, windows []throttle.WindowStatus) time.Time {
	var at time.Time
	for _, w := range windows {
		var own time.Time
		left := max(w.Credit, 0)
		switch {
		case w.Rate > 0:
			own = now.Add(seconds(float64(waiting) / w.Rate))
		case w.Limit > 0 && waiting <= left:
			own = now
		case w.Limit > 0 && !w.Latest.IsZero():
			full := (waiting - left - 1) / w.Limit // windows that are used up before the last one
			own = w.Latest.Add(seconds(float64(full) * w.Length.Seconds()))
		}
		if own.After(at) {
			at = own
		}
	}
	return at
}

// seconds returns a duration, of ten years at most.
func seconds(s float64) time.Duration {
	const most = 10 * 365 * 24 * time.Hour
	return time.Duration(math.Min(s*float64(time.Second), float64(most)))
}
