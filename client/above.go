package client

import (
	"time"

	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// An above is what limits all buckets of a key, above the limits of each: refusals show it that name no limit and do not
// concern their route alone, or responses tell it beside a limit that is counted apart.
type above struct {
	told    bool              // responses tell it
	limiter *throttle.Limiter // nil until there is such a refusal
	scopes  bool              // a refusal said that it concerns more than what was asked for, so that scopes count too
}

// of returns the limiter of the limit if a request is under it, and otherwise nil.
func (u *above) of(a *attempt) *throttle.Limiter {
	if a.scope != 0 && !u.scopes {
		return nil
	}
	return u.limiter
}

// ask replaces the decision on a request if the limit holds it back for longer.
func (u *above) ask(now time.Time, decided *limit.Decision, d *limit.Demand, a *attempt) {
	k := u.of(a)
	if k == nil {
		return
	}
	next := k.Ask(now, d.Requests)
	if next.Relax(now, d); next.After(decided) {
		*decided = next
	}
}

// opens returns when the limit lets a request go, or at if that is later.
func (u *above) opens(now, at time.Time) time.Time {
	if u.limiter != nil {
		if next := u.limiter.Ask(now, 1).At; next.After(at) {
			return next
		}
	}
	return at
}

// idle reports whether the limit can be forgotten.
func (u *above) idle(now time.Time) bool { return u.limiter == nil || u.limiter.Idle(now) }

// forgetRefusals notes that the refusals do not concern all buckets.
func (u *above) forgetRefusals(now time.Time) {
	if u.limiter != nil {
		u.limiter.ForgetRefusals(now)
	}
}

// takeAbove counts a request as sent.
func (a *attempt) takeAbove(now time.Time, u *above) {
	if a.above = u.of(a); a.above != nil {
		a.aboveTicket = a.above.Take(now, a.Cost)
		a.aboveTicket.Retry = a.again
	}
}

// cancelAbove takes in that a request was never sent.
func (a *attempt) cancelAbove() {
	if a.above != nil {
		a.above.Cancel(a.aboveTicket)
	}
}

// abandonAbove takes in that a request got no response.
func (a *attempt) abandonAbove(now time.Time) {
	if a.above != nil {
		a.above.Abandon(now, a.aboveTicket)
	}
}
