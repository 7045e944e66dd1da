package throttle

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A cooldown closes a key after a refusal, and then opens a gap first: one request
// goes, and the others wait for its answer. The same gap stands before the first
// request of all, but widens sooner.
type cooldown struct {
	until   instant // closed before this,
	named   bool    // as the server asked for, and not because of a reset that it told
	renewed bool    // a request that tried that was asked to stay away for longer
	wrong   uint8   // how often it was not true, less how often it was

	halfOpen bool    // one at a time, until one is answered
	refusals int32   // in a row
	after    int64   // requests up to this number were sent before the gate narrowed
	flying   int64   // what went through the gap and is not answered yet
	first    instant // when the first went through; never while none did
	began    instant // when the first refusal of those in a row came
	trip     instant // how long the last one took to come; 0 while there was none
}

// narrowDown lets one request at a time through from now on; sent is the number
// of the last one that went before.
func (h *cooldown) narrowDown(sent int64) {
	h.halfOpen, h.after, h.flying, h.first = true, sent, 0, never
}

// patience is how long to wait for what went through the gap. What is not refused after
// several times the time that a refusal takes is most likely admitted.
func (h *cooldown) patience(k *Limiter) instant {
	if h.trip == 0 {
		return k.rtt.Patience()
	}
	return min(k.rtt.Patience(), max(second, 4*h.trip))
}

// ready returns when the next may go. When answers are slow to come, twice as
// many may try with each step.
func (h *cooldown) ready(k *Limiter, now instant) instant {
	at := h.opens(k, now)
	if h.until > now {
		return min(at, k.refusals.TestReady(now, k.rtt.Patience()))
	}
	return at
}

// opens returns when the next may go that does not test the wait that the server named.
func (h *cooldown) opens(k *Limiter, now instant) instant {
	if !h.halfOpen || h.flying == 0 {
		return max(h.until, now)
	}
	alone, step := h.ramp(k)
	doublings := max(now-h.first-alone+step, 0) / step
	if doublings >= 30 || h.flying < 1<<doublings {
		return max(h.until, now)
	}
	for h.flying >= 1<<doublings {
		doublings++
	}
	return max(h.until, h.first+alone+(doublings-1)*step)
}

// trial returns when a request may go that cannot wait for as long as the server asked for. What it said may have
// become wrong: the quota was raised, or forgotten. A block that begins anew with each such request is not tried again.
func (h *cooldown) trial(k *Limiter, now instant) instant {
	rest := trialRest >> (2 * h.wrong)
	if h.refusals > 0 {
		rest = max(rest, (k.lastSent-h.began)/trialPart)
	}
	switch at := max(now, k.lastSent+rest); {
	case !h.named:
		return now
	case h.renewed, h.until < at+trialSoon:
		return h.until
	default:
		return at
	}
}

// try reports whether a request that goes now is such a trial.
func (h *cooldown) try(k *Limiter, now instant) bool {
	return h.named && h.until > now && h.trial(k, now) <= now
}

// endTrial takes in what became of such a request, which was asked to stay away until the given instant if it was refused.
func (h *cooldown) endTrial(now, until instant, refused bool) {
	if !refused {
		h.until, h.named, h.wrong = min(h.until, now), false, min(h.wrong+1, trialWrong)
		return
	}
	h.renewed = h.wrong == 0 && until > h.until+trialSoon
	h.wrong = max(h.wrong, 1) - 1
}

const (
	// trialRest is how long after the last request what the server asked for is tried, or for such a part of the time that
	// it has refused all requests, and sooner if it was wrong before.
	trialRest  = 5 * 60 * second
	trialPart  = 2
	trialWrong = 3
	trialSoon  = 45 * second // what is so soon over is not tried
)

// ramp returns how long the first request that went through the gap stays alone, and the
// steps after that.
func (h *cooldown) ramp(k *Limiter) (alone, step instant) {
	if k.heard == 0 {
		return startAlone, startStep
	}
	patience := h.patience(k)
	return patience, patience
}

// The first request of all is alone for startAlone, which is longer than most responses
// take. If its response takes longer, twice as many may go with each startStep.
const (
	startAlone = 240 * millisecond
	startStep  = 20 * millisecond
)

// send notes that n went.
func (h *cooldown) send(now instant, n int64) {
	if !h.halfOpen {
		return
	}
	h.flying += n
	h.first = min(h.first, now)
}

// conclude notes that what t stands for is no longer under way.
func (h *cooldown) conclude(t *Reservation) {
	if h.halfOpen && t.number > h.after {
		h.flying -= t.cost
	}
}

// admitted notes an answer that is no refusal.
func (h *cooldown) admitted(now instant, t *Reservation) {
	if t.number <= h.after {
		return
	}
	h.halfOpen, h.refusals = false, 0
	if !h.named {
		h.until = min(h.until, now) // the reset was wrong
	}
}

// reports says whether a refusal of t would report the same congestion as the last.
func (h *cooldown) reports(t *Reservation) bool { return h.refusals > 0 && t.number <= h.after }

// refuse takes in a refusal. One congestion may be reported by as many responses
// as were under way; it counts once.
func (h *cooldown) refuse(k *Limiter, now, wait instant, known, explicit bool, t *Reservation) {
	again := h.reports(t)
	h.trip = max(now-t.at, 1)
	if h.refusals == 0 {
		h.began = now
	}
	if !again {
		h.refusals++
	}
	switch {
	case known && wait > 0:
		// The server's word is never shortened. What is added keeps clients that were
		// told the same from returning at the same moment.
		wait += k.jitter(min(wait/20, second))
	case again:
		return
	default:
		refusals := int(h.refusals)
		if refusals > 1 && refusals <= soonRefusals {
			refusals-- // most silent windows last for a second or two
		}
		if k.unevenly(t) {
			refusals = min(refusals, unevenRefusals)
		}
		wait = k.backoff(refusals)
		if h.refusals > blockRefusals {
			// Some servers begin their block anew with each request that comes within it.
			// It ends only for clients that stay away for long enough, however long that is.
			wait = max(wait, min((now-h.began)/blockPart, blockMost))
		}
		wait = h.turn(k, now, wait)
	}
	h.extend(now, now+wait, explicit)
	if !again {
		h.narrowDown(k.sent)
	}
}

// turn shortens a wait of which the server said nothing where it would miss a full minute of the
// server's clock, with which most windows open, or later a full hour. It ends shortly after
// that, and another shortly before, so that it shows that it was the clock that opened the
// server. It is never shorter than after a first refusal.
func (h *cooldown) turn(k *Limiter, now, wait instant) instant {
	length := 60 * second
	switch {
	case h.refusals < turnRefusals:
		return wait
	case wait > turnLong:
		// What was tried for the minute does not make the waits longer.
		wait = min(wait, max(turnLong, (now-h.began)/2))
	}
	if h.refusals > turnMinutes {
		length = 60 * 60 * second
	}
	turn, ok := k.clock.Turn(now, length)
	before := turn.Earliest - second - 2*h.trip
	if !ok || now+wait < before {
		return wait
	}
	at := before
	if now+second > before {
		at = turn.Latest + k.jitter(second/10)
	}
	return max(at-now, k.backoff(1))
}

const (
	// turnRefusals is how many refusals in a row make it likely that the server is not closed
	// for a moment only.
	turnRefusals = 3
	turnLong     = 16 * second
	turnMinutes  = 8 // and so many that its window is longer than a minute
	// soonRefusals is up to how many in a row the wait is one step shorter than others.
	soonRefusals = 3
	// unevenRefusals is after how many in a row waits grow no longer where requests cost very different
	// amounts: no limit on their number is learned then that would say when to come back.
	unevenRefusals = 3
	// blockRefusals is how many in a row make a block likely that does not end by itself.
	blockRefusals = 6
	// blockPart is the part of the time that a key has been closed for to stay away once
	// more: the server may have opened at the beginning of that.
	blockPart = 8
	blockMost = 15 * 60 * second
)

// extend keeps the key closed at least until the given instant. explicit says that the server asked for that, and
// did not only tell a reset.
func (h *cooldown) extend(now, until instant, explicit bool) {
	if h.until <= now {
		h.named, h.renewed = false, false
	}
	h.named = h.named || explicit
	h.until = max(h.until, until)
}

// release takes back a refusal that closes the key no longer, which before was closed
// until the given instant.
func (h *cooldown) release(before instant) {
	h.until, h.halfOpen, h.refusals = before, false, 0
}

// pause keeps the key closed for as long as the server asks on an answer that is no
// refusal. Nothing was refused, so that the gate does not narrow.
func (h *cooldown) pause(k *Limiter, now, wait instant) {
	h.extend(now, now+wait+k.jitter(min(wait/20, second)), true)
}

// backoff is how long to stay away after the n-th refusal in a row.
func (k *Limiter) backoff(n int) instant {
	if k.policy.Backoff != nil {
		return max(clock.Bounded(k.policy.Backoff(n)), millisecond)
	}
	wait := second << min(n-1, 6)
	wait = min(wait, 60*second)
	return wait + k.jitter(wait/10)
}
