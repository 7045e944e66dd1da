package client

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Status is what is believed of a quota, and how many requests are about to spend it.
// It is a copy: nothing in it changes later.
type Status struct {
	// Status is of the limits that the API announced or refusals taught: their windows,
	// what is left, on what grounds and how sure. Of rules only Start, Ahead and Limit
	// tell.
	throttle.Status
	// Key is who spends it, the hash that [Memory] and [Event] have too. Host is the host of
	// its last request, and Name what [WithKeyName] or [WithKeyNames] called it.
	Key        string
	Host, Name string `json:",omitzero"`
	// Counts is what became of the requests of the key.
	Counts Counts
	// Waiting is how many requests of the key are in the queue.
	Waiting int `json:",omitzero"`
	// Start is when a request would go if it came now, as far as is known: zero when
	// that depends on an answer that is yet to come. Ahead is how many are waiting
	// before it, and Limit is what they wait for.
	Start time.Time `json:",omitzero"`
	Ahead int       `json:",omitzero"`
	Limit string    `json:",omitzero"`
}

// String describes the status in one queue, without the key and whose it is.
func (s Status) String() string {
	if s.Waiting == 0 {
		return s.Status.String()
	}
	return fmt.Sprintf("%v, %d waiting", s.Status, s.Waiting)
}

// Status returns what is believed of the quota that req would spend if it were sent
// now. It sends nothing and spends nothing. The error is that of the queue: it is
// closed, or the request costs more than a limit ever allows.
func (t *Transport) Status(req *http.Request) (Status, error) {
	c := callOf(req)
	a := &attempt{}
	a.prepare(t, t.account(req, &c), &c)
	place, err := t.line.Peek(&a.Request)
	s := Status{
		Key: nameOf(a.Key), Host: req.URL.Host, Name: a.name, Waiting: t.line.KeyStats(a.Key).Waiting,
		Start: place.Start, Ahead: place.Ahead, Limit: place.Limit,
	}
	t.line.Update(a.Key, func(now time.Time, own limit.Limiter) {
		l := own.(*learned)
		s.Status, s.Counts = l.statusOf(now, a), l.usage.total()
	})
	return s, err
}

// Snapshot returns what is believed of every quota that is remembered, in the order of
// their keys: for a page that shows all of them, say. A key whose routes have limits
// of their own has one status for each of these sets of limits, after that of all
// other requests, and one for each route that was refused without a word about others. Start and Limit leave out what waits in the queue and the rules that
// [WithQueue] made. It takes time in proportion to the keys, during which nothing is sent.
func (t *Transport) Snapshot() []Status {
	var all []Status
	t.line.Each(func(key string, own limit.Limiter, holds queue.Stats) {
		now := time.Now() // not before: a throttle's time does not go back
		l := own.(*learned)
		parts := append(make([]*throttle.Limiter, 0, 1+len(l.limits)), l.whole)
		for _, m := range slices.Sorted(maps.Keys(l.limits)) {
			parts = append(parts, l.limits[m])
		}
		for _, part := range parts {
			next := part.Ask(now, 1)
			all = append(all, Status{
				Status: part.Status(now), Key: nameOf(key), Host: l.usage.host, Name: l.usage.name, Counts: l.usage.total(), Waiting: holds.Waiting, Ahead: holds.Waiting,
				Start: next.At, Limit: next.Limit,
			})
		}
		for _, id := range slices.Sorted(maps.Keys(l.cooldowns)) {
			next, status := l.cooldowns[id].ask(now, 1), l.cooldowns[id].limiter.Status(now)
			if next.Limit == throttle.Refusal {
				status.Hold = next.At
			}
			all = append(all, Status{
				Status: status, Key: nameOf(key), Waiting: holds.Waiting, Ahead: holds.Waiting,
				Start: next.At, Limit: next.Limit,
			})
		}
	})
	slices.SortStableFunc(all, func(a, b Status) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// nameOf returns what callers get to see of a key.
func nameOf(key string) string { return hex.EncodeToString([]byte(key)) }
