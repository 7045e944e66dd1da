package throttle

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/refusals"
)

// Observe takes in the response to a request, received at now.
func (k *Limiter) Observe(now time.Time, t Reservation, r *header.Reading) {
	i := k.instant(now)
	k.expireLost(i)
	k.answered += t.cost
	k.rtt.Observe(i - t.at)
	if r.Stale || len(r.Windows) < len(k.windows) {
		k.uncertainUntil = i
	}
	if !r.Stale {
		k.learn(i, &t, r)
	}
	k.settleUnmetered(i, &t)
	k.conclude(&t)
	k.judge(i, &t, r)
	k.doubt(i)
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
				e.refuse(k, now, t, k.cooldown.reports(t))
				continue
			}
		}
		w := k.window(said)
		w.observe(k, now, t, said, limit, r.Refused)
		w.served = w.served || !r.Refused
	}
	k.forget(t, r)
	if len(k.edges) > 0 {
		k.forgetEdges(now)
	}
	if len(k.windows) > 0 {
		k.refusals.Announced()
	}
}

// forget drops the windows whose time is over and of which a response to a later
// request no longer speaks.
func (k *Limiter) forget(t *Reservation, r *header.Reading) {
	for i := len(k.windows) - 1; i >= 0; i-- {
		if w := &k.windows[i]; w.resetKnown && w.reset.Latest < t.at && w.said(r) == nil {
			if w.doubted(t.at) {
				k.doubted = int32(min((w.trust.next+second-1)/second, math.MaxInt32))
			}
			k.windows = slices.Delete(k.windows, i, i+1)
		}
	}
}

// window returns the window that a response speaks of.
func (k *Limiter) window(said *header.Window) *window {
	for i := range k.windows {
		if k.windows[i].matches(said) {
			return &k.windows[i]
		}
	}
	k.windows = append(k.windows, window{
		name: strings.Clone(said.Name), unit: strings.Clone(said.Unit), scope: strings.Clone(said.Scope), limit: -1,
		threshold: k.policy.Threshold.of(-1), reserve: k.policy.Reserve.of(-1),
		concurrent: said.Unit == concurrentUnit,
		units:      newUnits(said),
		trust:      k.newTrust(),
	})
	k.windows[len(k.windows)-1].contention.Expect(k.expect)
	return &k.windows[len(k.windows)-1]
}
