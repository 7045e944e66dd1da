package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/refusals"
)

// A belief that nothing is left may be wrong: the token was renewed, the quota raised, the
// answer came from somewhere else. Where it rests on an answer that was no refusal it is
// tried now and then by a request that could not wait for the reset. An honest server
// refuses it, and is tried the more rarely; one that serves it is tried the sooner.
type belief struct {
	empty  bool    // nothing was left, as the newest answer says
	next   instant // when it may be tried
	pause  instant // between two tries
	tried  bool    // it was tried, and is not answered yet
	early  bool    // and on no other ground
	served int     // tries in a row that were served although nothing was left
	probed int     // probes in a row that were, and after which nothing was left, nor a reset to come
	vain   int     // how often those did not show that the limit is none
	beyond bool    // requests are served beyond the limit, so that it limits nothing
}

const (
	beliefFirst = 60 * second
	beliefLast  = 10 * 60 * second
	// A try that is served makes the next one come so many times sooner, and after so
	// many in a row the limit is none.
	beliefSooner = 8
	beliefServed = 2
	// Probes are less telling: others may take what comes back. So many, twice as many after
	// each error.
	beliefProbed = 4
)

// observe takes in what a response says of its window. It reports whether that shows a
// belief to be wrong that was tried.
func (b *belief) observe(now instant, said *header.Window, remaining int64, known, refused, probe bool) (wrong bool) {
	more := !refused && said.Used.State == header.Known && said.Limit.State == header.Known && said.Used.Value > said.Limit.Value
	switch {
	case !known:
	case remaining > 0:
		wrong = b.tried
		*b = belief{vain: b.vain}
	case refused:
		if b.probed >= beliefProbed<<b.vain {
			b.vain = min(b.vain+1, 16)
		}
		b.tried, b.early, b.served, b.probed = false, false, 0, 0
	case probe && said.Limit.Value != 1:
		b.probed++
	case b.tried && b.early:
		b.tried, b.early = false, false
		b.served++
		b.pause = max(b.pause/beliefSooner, second)
		b.next = now + b.pause
	}
	if known && remaining == 0 && !b.empty {
		b.empty, b.pause, b.next = true, beliefFirst, now+beliefFirst
	}
	b.beyond = more || b.served >= beliefServed || b.probed >= beliefProbed<<b.vain
	return wrong
}

// try notes that it is tried.
func (b *belief) try(now instant) {
	if b.empty {
		b.tried = true
		b.pause = min(2*max(b.pause, beliefFirst), beliefLast)
		b.next = now + b.pause
	}
}

// tries reports whether n may go although an announced limit says that nothing is left,
// to see whether that is so.
func (k *Limiter) tries(now instant, n int64) bool {
	if k.remembered.counts() {
		return k.remembered.tries(k, now)
	}
	if k.cooldown.until > now || k.sent != k.answered {
		return false
	}
	if v := k.view(); k.refusals.Ready(&v, now, n) > now {
		return false
	}
	for i := range k.windows {
		w := &k.windows[i]
		if w.ready(k, now, n) > now && (!w.belief.empty || w.belief.next > now || w.probe.bidden > now) {
			return false
		}
	}
	return true
}

// ForgetRefusals drops the limits that were learned from refusals, and ends the wait of the last one,
// because they turned out to concern other requests.
func (k *Limiter) ForgetRefusals(now time.Time) {
	k.expireLost(k.instant(now))
	k.refusals.ForgetLimits()
	k.cooldown = cooldown{}
}

// Forget drops all that is believed of limits. What is under way is still counted as such.
func (k *Limiter) Forget(now time.Time) {
	k.expireLost(k.instant(now))
	k.windows, k.edges, k.remembered, k.refusals = nil, nil, nil, refusals.Estimator{}
	k.cooldown = cooldown{}
	k.cooldown.narrowDown(k.sent)
}
