package throttle

import (
	"slices"
	"strings"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// An edge is a limit in front of the API that speaks only when it refuses, under the names
// of the limit behind it: what is served tells of that one, what is refused of this. It is
// followed by the log of our own requests.
type edge struct {
	name   string // of the window that it is told apart from
	limit  int64
	length instant
	log    eventlog.Log
	spoken instant // when it refused the last time
}

const (
	edgesMost = 4
	edgeKept  = 24 * 60 * 60 * second // without a refusal
)

// edge returns the edge limit that a refusal speaks of, or nil: another limit than that of
// the window of its name, of which nothing is left. One that is new is only made where
// answers that are no refusals told of the window.
func (k *Limiter) edge(now instant, said *header.Window, limit int64) *edge {
	i := slices.IndexFunc(k.edges, func(e *edge) bool { return e.name == said.Name && e.limit == limit })
	if i >= 0 {
		return k.edges[i]
	}
	w := slices.IndexFunc(k.windows, func(w window) bool { return w.matches(said) })
	switch {
	case w < 0 || limit <= 0 || !said.Exhausted() || !said.Reset.Known():
		return nil
	case !k.windows[w].served || limit == k.windows[w].limit || k.windows[w].mixture.tells(limit):
		return nil
	}
	if len(k.edges) >= edgesMost {
		k.edges = slices.Delete(k.edges, 0, 1)
	}
	left := k.clock.Instants(said.Reset, now, now)
	e := &edge{name: strings.Clone(said.Name), limit: limit, length: clock.UsualLength(max((left.Earliest+left.Latest)/2-now, millisecond))}
	k.edges = append(k.edges, e)
	return e
}

// refuse takes in a refusal of t. One that the log does not explain shows that it looks
// further back.
func (e *edge) refuse(k *Limiter, now instant, t *Reservation, again bool) {
	if !again && e.spoken > 0 && 10*e.log.Between(t.at-e.length-k.rtt.Slack(), t.at) < 9*e.limit {
		e.length = clock.UsualLength(e.length + 1)
	}
	e.spoken = now
	e.log.Remove(t.at, t.cost)
}

// ready returns when n more may go.
func (e *edge) ready(k *Limiter, now instant, n int64) instant {
	if n > e.limit {
		return now
	}
	return max(now, e.log.FallsTo(e.limit-n)+e.length+k.rtt.Slack())
}

// send counts n more as sent.
func (e *edge) send(now instant, n int64) {
	e.log.Condense()
	e.log.Forget(now - 2*e.length)
	e.log.Add(now, n)
}

// forgetEdges drops the edges that have not refused for long, and those whose limit became
// that of the window itself.
func (k *Limiter) forgetEdges(now instant) {
	k.edges = slices.DeleteFunc(k.edges, func(e *edge) bool {
		return now > e.spoken+edgeKept || slices.ContainsFunc(k.windows, func(w window) bool { return w.name == e.name && w.limit == e.limit })
	})
}
