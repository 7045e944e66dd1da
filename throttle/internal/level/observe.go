package level

import (
	"math"
	"slices"
	"time"
)

// Observe takes in what the response to a request says.
func (l *Limiter) Observe(now time.Time, h *Hold, w Window) {
	t := l.since(now)
	if !plausible(w) {
		return
	}
	l.alone, l.pause, l.retry = false, 0, 0
	l.answers++
	if w.Remaining-l.grains.half() >= l.closedTo && (t >= l.refusedAt+l.trip || h.sent >= l.refusedAt) {
		l.closed = 0 // so much came back already
	}
	l.trial.admitted(h)
	l.refunds.answered(h)
	l.anew.answered(h)
	if h.headed == 0 {
		l.least.add(max((t - h.sent).Seconds(), 1e-6))
		l.trip = min(time.Duration(2*l.least.quantile(0)*float64(time.Second)), time.Second)
	}
	h.headed = t
	if !w.Streamed {
		h.headed = -1
	}
	l.settleFactor(t)
	l.step *= 0.9
	l.margin *= 0.999
	l.caution = max(0.1, l.caution*0.993)
	l.anchor(t, h, w)
}

// Refuse takes in a refusal. A window that it does not tell of is nil; lacking
// says that it was this window that did not have enough.
func (l *Limiter) Refuse(now time.Time, h *Hold, w *Window, lacking bool, retryAt time.Time) {
	t := l.since(now)
	if !retryAt.IsZero() {
		if t >= l.closed {
			l.closedTo = math.Inf(1)
		}
		l.closed = max(l.closed, l.since(retryAt))
		l.bidden = l.closed
		l.closedTo = min(l.closedTo, h.admitted)
		if w == nil || !lacking {
			l.closedTo = 0
		}
	}
	l.refusedAt = t
	l.refunds.refused(t, h)
	l.anew.refused(t, h)
	l.alone = true
	l.pause = min(max(2*l.pause, time.Second), time.Minute)
	l.retry = t + l.pause
	if w != nil && !plausible(*w) {
		w = nil
	}
	if lacking && l.has(h) && l.told && !h.demand.Known {
		l.learn(t, h, w)
	}
	if lacking {
		l.caution = min(1, 1.5*l.caution)
	}
	if lacking && h.demand.Known {
		l.charges.n = 0
	}
	if lacking && l.reset > 0 && w != nil && t >= l.reset && l.at < l.reset && w.Remaining < l.limit/2 {
		l.deny()
	}
	l.drop(h)
	if w != nil {
		l.anchor(t, nil, *w)
	}
}

func plausible(w Window) bool {
	return w.Limit > 0 && w.Limit <= 1e15 && w.Remaining >= 0 && w.Remaining <= 1e15 &&
		w.Blur >= 0 && w.Left < 400*24*time.Hour
}

// anchor makes a response the newest word.
func (l *Limiter) anchor(t time.Duration, own *Hold, w Window) {
	w.Remaining = min(w.Remaining, w.Limit)
	if w.Remaining < w.Limit {
		l.grains.observe(w.Remaining)
	}
	if w.Remaining > 0 && w.Left >= 0 {
		l.refill.observe(w.Limit-w.Remaining, max(1, l.grains.whole()), w.Left, w.Blur)
	}
	if l.overtaken(t, own, w) {
		return
	}
	if !l.refill.bucket {
		if old := w.Left >= 0 && t+w.Left+w.Blur+2*time.Second < l.reset && l.reset > t; old && l.opens(false) {
			return // it was made before the window opened
		}
		l.observeReset(t, w)
	}
	l.observeStrangers(t, w)
	l.observeCharges(t, own, w)
	c := l.counted(t, own)
	l.observeMissing(t, w)
	if w.Streamed && l.length > 0 {
		l.refunds.reserve(w.Limit-w.Remaining, l.underWay(), l.spentOf(t), w.Limit)
	}
	l.observeClaims(t, w, c)
	if l.told && w.Limit == l.limit && w.Remaining > 0 {
		l.observeFall(t, w, c)
	}
	l.refunds.back, l.refunds.net, l.refunds.due, l.owing = 0, 0, 0, nil
	l.told, l.limit, l.at = true, w.Limit, t
	if t >= l.bidden {
		l.bidden = 0
	}
	l.remaining = max(0, w.Remaining-l.grains.half())
	l.anew.told, l.anew.debt, l.anew.at = l.remaining, l.debt(w), t
	if w.Length > 0 {
		l.length = w.Length
	}
	l.reset = 0
	if w.Left >= 0 {
		l.reset = t + w.Left + w.Blur + 20*time.Millisecond
	}
	switch { // how deep it may be in debt
	case w.Remaining > 0:
	case l.refill.bucket && w.Left > 0: // the time until it is full tells
		l.remaining = -l.debt(w)
	case l.rolls(false):
		l.remaining = min(0, l.limit-l.spent.inside(t, l.length))
		l.owing = own
	}
	if l.length > 0 {
		l.spent.forget(t-l.length, l.length)
	}
	l.sum()
}

// overtaken reports whether a response tells of more than the newest word because it may have been made
// before: one response may overtake another by as much as requests differ on the way. Of the last one that
// is under way it is believed less, for no other will tell.
func (l *Limiter) overtaken(t time.Duration, own *Hold, w Window) bool {
	if !l.told || w.Left < 0 || own == nil || own.sent >= l.at || l.debt(w)+l.level(t, false) >= w.Remaining-l.grains.half() {
		return false
	}
	within := l.arrival()
	if !slices.ContainsFunc(l.holds, (*Hold).unheard) {
		within /= 2
	}
	return t < l.at+within
}

// debt returns how much less than nothing a response tells of, by the time until a bucket is full.
func (l *Limiter) debt(w Window) float64 {
	if w.Remaining > 0 || w.Left <= 0 || !l.refill.bucket {
		return 0
	}
	return max(0, (w.Left+w.Blur).Seconds()*l.refill.rate-w.Limit)
}

// observeReset finds out whether a reset brings everything back, and takes the
// longest time to it as the window's length.
func (l *Limiter) observeReset(t time.Duration, w Window) {
	if w.Left < 0 {
		return
	}
	if w.Length == 0 && w.Left > l.length {
		l.length = period(w.Left)
	}
	l.furthest = max(l.furthest, min(w.Left, max(w.Length, l.length)))
	if w.Remaining > 0 && w.Remaining-(w.Limit-l.spent.surely(t, l.furthest)) > w.Limit/2 {
		l.certain = true // no rolling window forgets so soon, and 0 may be a debt of any depth
	}
	later := t + w.Left - l.reset
	if !l.told || l.reset == 0 || t < l.reset || later <= l.trip+2*w.Blur {
		return
	}
	if later < l.length*9/10 { // a window that opens does not open again so soon
		l.deny()
		return
	}
	if l.at >= l.reset {
		return // it is not the first word since
	}
	ours := 0.0
	for _, h := range l.holds {
		ours += max(h.admitted, h.cost)
	}
	switch {
	case l.remaining > l.limit/2:
		// A rolling window in which little was spent looks the same.
	case ours > l.limit/4:
		if w.Remaining-l.remaining-l.refunds.back > l.limit/4 {
			l.proofs++
		}
	case w.Remaining+ours+l.grains.whole() >= 0.95*w.Limit:
		l.proofs++
	case l.opens(false):
		l.deny()
	}
}

// observeStrangers compares what is missing with what we spent.
func (l *Limiter) observeStrangers(t time.Duration, w Window) {
	ours := l.spent.inside(t, max(l.length, w.Length)) + l.grains.whole()
	for _, h := range l.holds {
		if h.end == 0 {
			ours += h.admitted
		}
	}
	if w.Limit-w.Remaining > ours*1.001+1 {
		l.strangers = max(t, 1)
	}
}

// deny notes that a reset did not bring everything back.
func (l *Limiter) deny() {
	l.certain, l.proofs, l.denials = false, 0, min(l.denials+1, 8)
}

// opens reports whether a reset brings everything back. Where costs are known,
// and no request need be refused, it has to be certain: in a rolling window, all
// that was spent at once leaves at once.
func (l *Limiter) opens(known bool) bool {
	return l.certain || !known && l.proofs > 2*l.denials
}

// rolls reports whether what was spent comes back piece by piece.
func (l *Limiter) rolls(known bool) bool {
	return l.length > 0 && !l.opens(known) && (l.reset == 0 || l.denials > 0)
}

// period returns the shortest period in use that is not below d: where the
// reset is when the oldest request leaves, it is soon less than the period.
func period(d time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, p := range []time.Duration{
		time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, day,
	} {
		if d <= p+p/20 {
			return max(d, p)
		}
	}
	return (d + day - 1).Truncate(day)
}

// counts are what a response counts that none before it did.
type counts struct {
	admitted float64 // what admissions may have taken
	ended    float64 // what those took that are over
	claimed  float64 // and what their responses said
	first    mark    // of those
	back     float64 // what the admission of those may have taken
	arrived  float64 // how many requests arrived
	requests float64
}

// counted ends the holds that a response surely counts.
func (l *Limiter) counted(t time.Duration, own *Hold) (c counts) {
	kept := l.holds[:0]
	for _, h := range l.holds {
		if h.arriving && (h == own || h.sent <= t-l.arrival()) {
			h.arriving = false
			c.admitted += h.admitted
			c.arrived++
			c.requests += 0.5
		}
		asOf := t - l.arrival()/2
		if h.demand.Known {
			asOf = t - l.trip
		}
		if own != nil && own != h {
			asOf = max(asOf, own.sent)
		}
		if h.end > 0 && h.end <= asOf {
			c.ended += h.cost
			if c.claimed == 0 || h.sent < c.first.sent {
				c.first = h.before
			}
			c.claimed += h.claimed
			c.back += h.admitted
			c.requests += 0.5
			continue
		}
		h.paid = h.paid && h == own // this response may be the older of the two
		kept = append(kept, h)
	}
	clear(l.holds[len(kept):])
	l.holds = kept
	return c
}

// arrival is how long a request takes to arrive, and a response to come back: one may
// take twice as long as the fastest.
func (l *Limiter) arrival() time.Duration {
	return min(time.Duration(2*l.least.quantile(0)*float64(time.Second)), 500*time.Millisecond)
}
