// Package level decides when a request may go whose cost is not one: where a
// window counts tokens, points or credits.
//
// It does not know how the server charges, and need not. The newest number of
// what remains is believed, less what it may not have counted: requests that may
// not have arrived yet, at the most that the server may ask of them, and
// responses that may end before the next request arrives, at a high quantile
// of what responses used. A hold ends with a response that counts it, so that
// an estimate that is too high costs a constant and not a rate, and one that is
// too low is corrected by the next response.
package level

import "time"

// A Demand is what a request asks of a window, in its unit.
type Demand struct {
	// Cost is what it surely costs, if Known.
	Cost  float64
	Known bool
	// Prompt is the number of bytes that are charged by their length, 0 if there
	// is no such thing.
	Prompt float64
	// Most is what the server may charge beside the prompt at admission; 0 is not
	// known.
	Most float64
}

// A Window is what a response says.
type Window struct {
	Limit     float64
	Remaining float64
	// Left is the time until the window opens, or is full again, as it was when
	// the response was made; negative if that was not told. Blur is how far it
	// may be rounded.
	Left, Blur time.Duration
	// Length is the period, 0 if it is not known.
	Length time.Duration
	// Streamed says that the response was not complete when this was told.
	Streamed bool
}

// A Usage is what a request cost.
type Usage struct {
	Total  float64
	Prompt float64 // the part of it that the prompt cost; 0 is not known
}

// A Decision says when a request may go.
type Decision struct {
	Go    bool
	At    time.Time // when to ask again; zero: with the next news
	Never bool      // the window allows no such request, however empty it is
}

// A Limiter admits requests to one window. It is not safe for concurrent use.
type Limiter struct {
	sums // of holds

	origin time.Time
	now    time.Duration

	told      bool
	limit     float64
	remaining float64 // at the time at, less what is surely not in it
	at        time.Duration
	reset     time.Duration // a window that opens has opened by then; 0: not told
	length    time.Duration
	furthest  time.Duration // time to a reset that was told
	refill    refill
	spent     spent
	proofs    int // of that, and of the contrary
	denials   int
	certain   bool          // that it opens
	strangers time.Duration // when more was missing than we spent; 0: never
	grains    grains

	holds []*Hold
	owing *Hold // its response told a debt that its own cost is part of

	least     sample // round trips, in seconds
	trip      time.Duration
	sentAt    time.Duration // when the last request was
	closed    time.Duration // no request that asks for closedTo or more goes before
	closedTo  float64
	bidden    time.Duration // when a refusal asked to come back; 0: somebody did
	refusedAt time.Duration // when the last request was
	alone     bool          // one request at a time, until a response says more
	retry     time.Duration // when to send another, and the wait before it
	pause     time.Duration

	ratios    sample // tokens a byte of the prompt
	used      sample // by a request
	durations sample // of requests, in seconds
	falls     falls
	factor    float64 // what admission asks for, by what it was estimated
	beside    float64 // what it asks for besides, where nothing tells the most that a response may have
	factorAt  time.Duration
	raised    time.Duration // when a refusal last raised it
	step      float64       // by how much of it the next refusal raises it
	margin    float64       // what a bucket lacked beside it where a request was refused
	caution   float64       // share of what may end that a rolling window is left with
	trial     trial
	refunds   refunds
	kept      kept
	anew      anew
	charges   charges
	claims    claims
	others    others
	answers   int
}

// New returns a Limiter of a window that no response has told of.
func New() *Limiter {
	return &Limiter{trip: time.Second, factor: 1, caution: 1, alone: true}
}

func (l *Limiter) since(now time.Time) time.Duration {
	if l.origin.IsZero() {
		l.origin = now
	}
	l.now = now.Sub(l.origin)
	return l.now
}

// Ask returns when a request may go.
func (l *Limiter) Ask(now time.Time, d Demand) Decision {
	t := l.since(now)
	if d.Known && l.told && d.Cost > l.limit {
		return Decision{Never: true}
	}
	if d.Known && d.Cost <= 0 || l.tooLarge(d) {
		return Decision{Go: true}
	}
	l.lapse(t)
	if t < l.closed && (d.untold() || l.admission(d) >= l.closedTo) {
		if !d.Known && l.told && l.mayAskBack(t, d) || l.refunds.sure() && l.refunds.due > 0 && l.lack(t, d) <= 0 {
			return Decision{Go: true}
		}
		return Decision{At: l.origin.Add(l.closed)}
	}
	if !l.told || l.alone {
		if one := l.single(t); !l.told || !one.Go {
			return one
		}
	}
	lack := l.lack(t, d)
	if lack <= 0 || l.full(t, d.Known) || l.mayProbe(t, d.Known) || !d.Known && (l.mayTry(t, d) || l.mayAskBack(t, d) || l.mayAskAnew(t, d, lack)) {
		return Decision{Go: true}
	}
	at := l.later(t, d.Known, lack)
	if after := l.refunds.after; !d.Known && after > t && l.refunds.back > 0 && (at <= 0 || after < at) {
		at = after
	}
	if full := l.wouldBeFull(); !d.Known && full > t && at > full+worthAnew {
		at = full
	}
	if at <= 0 {
		return Decision{}
	}
	return Decision{At: l.origin.Add(max(at, t+time.Microsecond))}
}

// single lets one request go at a time, and another where no response began for long. After a refusal, the one
// that was not refused by then was served, and others may go.
func (l *Limiter) single(t time.Duration) Decision {
	if l.unheard == 0 || t >= l.sentAt+l.patience() {
		l.alone = l.alone && (l.unheard == 0 || l.sentAt <= l.refusedAt)
		return Decision{Go: true}
	}
	return Decision{At: l.origin.Add(l.sentAt + l.patience())}
}

// patience is how long a request that goes alone is waited for: where responses take long, refusals do not.
func (l *Limiter) patience() time.Duration {
	if l.told {
		return 2 * l.trip
	}
	return max(4*l.trip, 4*time.Duration(l.least.quantile(0.9)*float64(time.Second)))
}

// full reports whether the window holds all that it ever will.
func (l *Limiter) full(t time.Duration, known bool) bool {
	if len(l.holds) > 0 {
		return false
	}
	if l.refill.bucket {
		return l.missing(t) <= 0
	}
	return l.opens(known) && l.reset > 0 && t >= l.reset && l.at < l.reset
}

// lack returns how much is missing for a request to go; not above 0 if it may.
func (l *Limiter) lack(t time.Duration, d Demand) float64 {
	lack := l.lackWithout(t, d)
	if lack > 0 && !d.Known && l.refunds.due > 0 && l.refunds.sure() {
		// What requests use was taken when they arrived.
		level := min(l.level(t, false)+l.refunds.due, l.limit)
		return min(lack, l.admission(d)+l.spare()-(level-l.due(t)-l.arriving))
	}
	return lack
}

// lackWithout is lack where nothing is given back but what a response told.
func (l *Limiter) lackWithout(t time.Duration, d Demand) float64 {
	level, ending := l.level(t, d.Known), l.ended+l.ending()
	if d.Known {
		_, most := l.charges.early()
		lack := d.Cost - (level - max(ending, l.arriving))
		if most == 0 {
			lack -= max(0, d.Cost-1) // it is charged when it is over
		}
		if all := lack + l.known + l.settling; all <= 0 {
			return all
		}
		return lack + l.due(t)
	}
	level -= l.due(t)
	return max(
		l.minimum(d)-(level-ending),
		l.admission(d)+l.spare()-(level-l.arriving),
	)
}

// spare is what is left of a bucket beside what a request may ask for.
func (l *Limiter) spare() float64 {
	if l.refill.bucket {
		return l.margin
	}
	return 0
}

// Admission returns the most that the server may ask for before it serves a request.
func (l *Limiter) Admission(d Demand) float64 { return l.admission(d) }

// Refills reports whether the window is known to fill all the time.
func (l *Limiter) Refills() bool { return l.refill.bucket }

// Opens reports whether a reset is known to bring everything back.
func (l *Limiter) Opens() bool { return l.opens(false) }

// Level returns what remains at a time by the newest response, before holds.
func (l *Limiter) Level(now time.Time) float64 { return l.level(l.since(now), false) }

func (l *Limiter) level(t time.Duration, known bool) float64 {
	level := l.word(t, known)
	if known {
		level -= l.grains.half()
	}
	if known && !l.refill.bucket && l.length > 0 && (l.strangers == 0 || t > l.strangers+2*l.length) {
		// Whatever the server counts by, what was spent that long ago has left. Sums
		// of fractions differ in their last digits.
		least, most := l.charges.early()
		level = max(level, l.limit-l.spent.inWindow(t-l.trip, l.length, least)+l.over-most*l.reserved-1)
	}
	return level - l.others.rate*l.trip.Seconds()
}

// word returns what remains by the newest response alone.
func (l *Limiter) word(t time.Duration, known bool) float64 {
	switch {
	case l.refill.bucket:
		return l.limit - l.missing(t)
	case l.opens(known) && l.reset > 0 && t >= l.reset:
		return l.limit
	case l.rolls(known):
		back, _ := l.back(t, known)
		return min(l.remaining+back, l.limit)
	}
	return l.remaining
}

// back returns what came back to a rolling window since the newest word, and when more does.
func (l *Limiter) back(t time.Duration, known bool) (amount float64, next time.Duration) {
	if known {
		least, _ := l.charges.early()
		return l.spent.surelyLeft(l.at, t-l.trip, l.length, least)
	}
	return l.spent.left(l.at, t-l.trip, l.length, l.overcharge())
}

// overcharge returns how much more than responses told is missing from a window: as
// much more comes back of it.
func (l *Limiter) overcharge() float64 {
	missing := l.limit - l.remaining - l.reserved
	return max(1, 0.9*missing/max(l.spent.inside(l.at, l.length), 1))
}
