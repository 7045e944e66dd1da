package throttle

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/edge"
	"github.com/forbear-go/forbear/throttle/internal/refusals"
)

// Observe takes in the response to a request, received at now.
func (k *Limiter) Observe(now time.Time, t Reservation, r *header.Reading) {
	i, held := k.instant(now), t.holds != nil
	k.expire(i)
	if t.test && k.endTest(i, &t, r) {
		return
	}
	k.land(i, t.number, t.cost)
	k.rtt.Observe(i - t.at)
	if r.Stale || len(r.Windows) < len(k.windows) {
		k.uncertainUntil = i
		k.leaves(i, &t, r)
	}
	if !r.Stale {
		k.learn(i, &t, r)
	}
	k.settleUnmetered(i, &t, held)
	k.conclude(&t)
	k.judge(i, &t, r)
	k.doubt(i)
}

// leaves takes in a response that leaves a window out, which perhaps does not count the request.
func (k *Limiter) leaves(now instant, t *Reservation, r *header.Reading) {
	for i := range k.windows {
		if w := &k.windows[i]; r.Stale || !r.Refused && w.said(r) == nil {
			w.turn(now, t)
		}
	}
}

// learn takes in what a response says, if it speaks of now.
func (k *Limiter) learn(now instant, t *Reservation, r *header.Reading) {
	k.heard = now
	if k.remembered != nil {
		k.remembered.answered(k, t, r.Refused)
	}
	if !r.Date.IsZero() {
		k.clock.Observe(r.Date, t.at, now)
		k.remembered.refine(&k.clock)
	}
	if !r.Refused {
		k.tells(now, r)
	}
	if len(r.Windows) > 0 {
		k.observe(now, t, r)
	}
	if r.Refused {
		k.refuse(now, t, r)
		return
	}
	k.serve(now, t)
	if r.Paused {
		k.cooldown.pause(k, now, instant(min(r.Wait.Delay, refusals.LongestHold)))
	}
}

// observe passes what a response says on to its windows.
func (k *Limiter) observe(now instant, t *Reservation, r *header.Reading) {
	for i := range r.Windows {
		said := &r.Windows[i]
		limit, ok := count(said.Limit, said.Unit)
		if ok && limit == 0 && !r.Refused {
			continue // a limit of nothing on a request that was served limits nothing
		}
		if r.Refused {
			if e := k.edge(now, said, limit); e != nil {
				e.Refuse(now, t.at, t.cost, &k.rtt, k.cooldown.reports(t))
				continue
			}
		}
		if k.untold(r, said) {
			continue
		}
		w := k.window(said)
		w.observe(k, now, t, r, said, limit)
		w.served = w.served || !r.Refused
	}
	k.forgetWindows(t, r)
	if len(k.edges) > 0 {
		k.forgetEdges(now)
	}
	if len(k.windows) > 0 {
		k.refusals.Announced()
	}
}

// edge returns the limit in front of the API that a refusal speaks of, or nil: another limit than that of
// the window of its name, of which nothing is left. One that is new is only made where
// responses that were no refusals told of the window.
func (k *Limiter) edge(now instant, said *header.Window, limit int64) *edge.Limit {
	if e := k.edges.Find(said.Name, limit); e != nil {
		return e
	}
	w := k.matching(said)
	switch {
	case w == nil || limit <= 0 || !said.Exhausted() || !said.Reset.Known():
		return nil
	case !w.served || limit == w.limit || w.mixture.Tells(limit):
		return nil
	}
	left := k.clock.Instants(said.Reset, now, now)
	return k.edges.Add(said.Name, limit, (left.Earliest+left.Latest)/2-now)
}

// window returns the window that a response speaks of.
func (k *Limiter) window(said *header.Window) *window {
	if w := k.matching(said); w != nil {
		return w
	}
	k.windows = append(k.windows, window{
		name: strings.Clone(said.Name), unit: strings.Clone(said.Unit), scope: strings.Clone(said.Scope), limit: -1,
		threshold: k.policy.Threshold.of(-1), reserve: k.policy.Reserve.of(-1),
		concurrent: said.Unit == concurrentUnit,
		units:      newUnits(said),
		trust:      k.trust.New(),
	})
	k.windows[len(k.windows)-1].contention.Expect(k.expect)
	return &k.windows[len(k.windows)-1]
}
