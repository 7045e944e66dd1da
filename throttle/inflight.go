package throttle

import "time"

// A lost request got no answer. It may still reach the server, so that it counts
// as answered only a while later.
type lost struct {
	due  instant
	cost int64
}

// InFlight returns the total cost of the requests in flight, including those whose response was
// lost recently.
func (k *Limiter) InFlight(now time.Time) int {
	k.expireLost(k.instant(now))
	return int(k.sent - k.answered)
}

// Abandon notes that a request got no answer, and perhaps never will.
func (k *Limiter) Abandon(now time.Time, t Reservation) {
	k.conclude(&t)
	i := k.instant(now)
	k.abandonUnits(i, &t)
	due := i + 2*k.rtt.Patience()
	if n := len(k.lost); n > 0 {
		due = max(due, k.lost[n-1].due)
	}
	k.lost = append(k.lost, lost{due: due, cost: t.cost})
	k.uncertainUntil = due
}

// Cancel takes back a request that was counted as sent but never was.
func (k *Limiter) Cancel(t Reservation) {
	k.conclude(&t)
	k.cancelUnits(&t)
	k.answered += t.cost
	for i := range k.windows {
		w := &k.windows[i]
		w.grantedThrough += t.cost
		w.contention.Cancel(t.cost)
		w.history.Remove(t.at, t.cost)
	}
	k.edges.Cancel(t.at, t.cost)
	r := t.request()
	k.refusals.Cancel(&r)
}

// conclude notes that a request is no longer under way.
func (k *Limiter) conclude(t *Reservation) {
	k.cooldown.conclude(t)
	k.refusals.EndTest(t.number)
	for i := range k.windows {
		k.windows[i].probe.Conclude(t.number)
	}
	r := t.request()
	k.refusals.Conclude(&r)
}

// expireLost counts lost requests as answered when their time has come.
func (k *Limiter) expireLost(now instant) {
	for len(k.lost) > 0 && k.lost[0].due <= now {
		k.answered += k.lost[0].cost
		k.lastAnswered = max(k.lastAnswered, k.lost[0].due)
		if k.lost = k.lost[1:]; len(k.lost) == 0 {
			k.lost = nil
		}
	}
}

// arrived returns a time by which all requests have arrived that were sent, or 0 if some are
// under way.
func (k *Limiter) arrived() instant {
	if k.sent != k.answered {
		return 0
	}
	return k.lastAnswered
}
