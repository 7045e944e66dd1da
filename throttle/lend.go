package throttle

import (
	"math"
	"time"
)

// A Loan lets requests go that were not asked about; see [Throttle.Lend].
type Loan struct {
	// N is how many requests of cost 1 may go.
	N int
	// Until is when they have to be gone. What is left by then must not be used.
	Until time.Time
	// InFlight is what the requests cost that are under way.
	InFlight int
	// Ticket stands for each of them. It is to be handed back for those whose answer
	// is passed on.
	Ticket Ticket
}

const (
	lendGap   = millisecond      // requests that follow each other more slowly are asked about
	lendTime  = 10 * millisecond // how long a loan lasts at the most
	lendMost  = 64               // and how many requests
	lendLeast = 4                // fewer are not worth it
	lendPart  = 8                // of what may go freely, this part is lent
	lendAfter = 32               // so many answers as expected make one expect more
)

// Lends reports whether Lend may be worth the call: requests follow each other within
// less than a millisecond, and nothing is wrong.
func (k *Throttle) Lends() bool {
	return k.gap < lendGap && k.answered > k.unexpected+lendAfter && !k.hold.narrow && !k.taught.any()
}

// Lend lets some requests go ahead of their coming, so that a program in a hurry need
// not ask about each. It lends only what no consideration would stop: a small part of
// what may go on credit before anything is spread, for some milliseconds, and nothing
// where others spend the quota, or where there were refusals to learn from. Where there
// is nothing to lend N is 0.
//
// [Throttle.Repay] has to be told of what went before the throttle is asked or told of
// anything else, and [Throttle.Keep] to be asked after that whether the rest of the loan
// may be used.
func (k *Throttle) Lend(now time.Time) Loan {
	i := k.instant(now)
	k.settle(i)
	if !k.Lends() || k.hold.until > i {
		return Loan{}
	}
	n, until := int64(lendMost), i+lendTime
	for j := range k.windows {
		w := &k.windows[j]
		if w.probe.number != 0 {
			return Loan{}
		}
		n = min(n, w.spare(k, i)/lendPart)
		if w.resetKnown {
			until = min(until, w.reset.earliest-millisecond)
		}
		if w.length.value > 0 {
			until = min(until, i+w.length.value/64)
		}
	}
	if n < lendLeast || until <= i {
		return Loan{}
	}
	k.lentAt = i
	return Loan{int(n), k.time(until), int(k.sent - k.answered), Ticket{number: k.sent + 1, cost: 1, answered: k.answered, at: i, lent: true}}
}

// Keep reports whether so many requests of a loan, and another one besides, may still go
// after something was heard or another request was sent.
func (k *Throttle) Keep(now time.Time, left int) bool {
	i := k.instant(now)
	if k.hold.narrow || k.hold.until > i || k.taught.any() {
		return false
	}
	for j := range k.windows {
		if k.windows[j].spare(k, i) <= int64(left) {
			return false
		}
	}
	return true
}

// spare returns how many may go that no consideration would stop.
func (w *window) spare(k *Throttle, now instant) int64 {
	switch {
	case w.open() && !w.concurrent:
		return math.MaxInt64
	case w.plenty(k, now, 1):
		return w.ceiling - w.reserve - w.threshold - k.sent
	}
	return 0
}

// Repay notes that so many requests of a loan went since it was made, or since the last
// Repay, and that so many requests of any loan are over. Those whose answer is passed on
// to Receive or Lose are not among the latter. Requests of a loan count as sent when
// they are repaid, which is late: so they leave the log late, and never early.
func (k *Throttle) Repay(now time.Time, went, over int) {
	i := k.instant(now)
	if n := int64(went); n > 0 {
		k.sent += n
		slack := k.latency.slack()
		for j := range k.windows {
			w := &k.windows[j]
			w.send(i, slack, k.sent, n)
			w.history.began(k.lentAt)
		}
		if k.taught != nil || len(k.windows) == 0 {
			l := k.teach()
			l.send(k, i, n)
			l.log.began(k.lentAt)
		}
		k.paced((i - k.lentAt) / instant(n))
		k.lastSent = i
	}
	k.lentAt = i
	if over == 0 {
		return
	}
	k.answered += int64(over)
	for j := range k.windows {
		if w := &k.windows[j]; w.resetKnown && i >= w.reset.earliest {
			k.untold = i // what they said of the new window is not known
		}
	}
}

// paced notes how long after the one before a request went.
func (k *Throttle) paced(after instant) { k.gap += (min(after, second) - k.gap) / 8 }
