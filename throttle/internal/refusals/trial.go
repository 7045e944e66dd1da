package refusals

import (
	"math"
	"math/bits"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A trial tries whether sending less lowers the share of requests refused. That is the only
// reason to send less to a server that seems to shed load: a limit refuses fewer requests
// below it, and a server that sheds load refuses the same share at any rate.
// Refusals may also end by themselves: so they have to come back when more is sent again.
// PCC decides by utility in the same way.
type trial struct {
	answers, refusals int64            // since
	since, last       clock.Instant    // then, and the last of them
	doubled           [2]clock.Instant // when their number reached a power of two the last time, and the one before

	on       bool
	spent    bool          // nothing was served since it began: a limit may have been used up before
	check    bool          // it is over, and few were refused: do more come back at the rate before?
	patience uint8         // trials that were in vain, in a row
	need     int32         // answers that make one
	rate     float64       // a second
	next     clock.Instant // when the next may go
	mark     int64         // requests after this one belong to the trial
}

const (
	trialRefusals = 10                // refusals that make a share, and that a trial waits for
	trialFew      = 2                 // so many of those prove that less is better
	trialAgain    = 5                 // so many have to come back afterwards
	trialRate     = 0.85              // of what was served, is tried
	trialSlowest  = 1.                // a second: what is refused of fewer costs less than a trial
	trialFaster   = 1.5               // times as fast as all answers came, the last ones came too fast
	trialSteady   = 4                 // answers that show how they follow each other,
	trialPause    = 8                 // and a pause is so many times as long,
	trialIdle     = 30 * clock.Second // or as this, after fewer
	trialRest     = 16                // a trial in vain is repeated after so many times its answers,
	trialPatience = 4                 // which doubles so often
)

// ready returns when n more may go.
func (u *trial) ready(now clock.Instant) clock.Instant {
	if !u.on {
		return now
	}
	return max(u.next, now)
}

// send counts n more as sent.
func (u *trial) send(now clock.Instant, n int64) {
	if u.on {
		step := clock.Instant(float64(clock.Second) / u.rate)
		u.next = max(u.next, now-step) + clock.Times(step, n)
	}
}

// observe takes in an answer, while shedding is presumed. It reports whether the trial is
// over that shows that less is better.
func (u *trial) observe(v *View, now clock.Instant, t *Request, refused bool) bool {
	if (u.on || u.check) && t.Number <= u.mark {
		return false
	}
	if u.since > 0 && (now > u.since+trialForgets && !u.on || u.paused(now)) {
		u.since, u.check = 0, false
	}
	if u.since == 0 {
		u.answers, u.refusals, u.since = 0, 0, now
	}
	if u.spent && refused {
		return false
	}
	u.spent = false
	u.answers++
	u.last = now
	if u.answers&(u.answers-1) == 0 {
		u.doubled = [2]clock.Instant{now, u.doubled[0]}
	}
	if refused {
		u.refusals++
	}
	switch {
	case u.on:
		u.conclude(v.Sent)
		return false
	case u.check:
		return u.confirm()
	}
	rest := int64(0)
	if u.patience > 0 {
		rest = int64(u.need) * trialRest << (u.patience - 1)
	}
	served := u.answers - u.refusals
	if u.refusals < trialRefusals || u.answers < rest || served < trialRefusals || now <= u.since+briefly {
		return false
	}
	rate := trialRate * float64(served) * float64(clock.Second) / float64(now-u.since)
	dear := rate < trialSlowest || float32(u.refusals) < rarityShare*float32(u.answers) // more than refusals are
	if dear || u.quickened(now) {
		u.answers, u.refusals, u.since = 0, 0, now
		return false
	}
	u.need = int32(min(trialRefusals*u.answers/u.refusals, math.MaxInt32))
	u.on, u.spent, u.mark = true, true, v.Sent
	u.rate, u.next = rate, now
	u.answers, u.refusals = 0, 0
	return false
}

// quickened reports whether the last answers came so much faster than those before that all of them together say nothing of what
// the server serves: something else held requests back until then.
func (u *trial) quickened(now clock.Instant) bool {
	at, before := u.doubled[0], int64(1)<<bits.Len64(uint64(u.answers))/2
	if 2*u.answers < 3*before { // a third of the answers, at least, say how fast the last ones came
		at, before = u.doubled[1], before/2
	}
	lately := float64(u.answers-before) / float64(max(now-at, 1))
	return lately > trialFaster*float64(u.answers)/float64(now-u.since)
}

// paused reports whether the client sent nothing for a while: a rate that is measured over
// that says nothing of what the server serves.
func (u *trial) paused(now clock.Instant) bool {
	if u.on {
		return false
	}
	if u.answers < trialSteady {
		return now-u.last > trialIdle
	}
	each := (u.last - u.since) / clock.Instant(u.answers)
	return now-u.last > max(trialPause*each, clock.Second)
}

// stop gives up a trial.
func (u *trial) stop() {
	if u.on || u.check || u.answers > 0 {
		*u = trial{patience: u.patience, need: u.need}
	}
}

// trialForgets is how long answers are counted for a share, where no trial came of them.
const trialForgets = 60 * 60 * clock.Second

// conclude ends a trial. sent is the number of the last request sent.
func (u *trial) conclude(sent int64) {
	if u.refusals <= trialFew && u.answers < int64(u.need) {
		return
	}
	u.on, u.check, u.mark = false, u.refusals <= trialFew, sent
	u.answers, u.refusals, u.since = 0, 0, 0
	if !u.check {
		u.patience = min(u.patience+1, trialPatience)
	}
}

// confirm reports whether requests are refused again after a trial in which few were.
func (u *trial) confirm() bool {
	again := u.refusals >= trialAgain
	switch {
	case again:
		u.patience = 0
	case u.answers < 2*int64(u.need):
		return false
	default:
		u.patience = min(u.patience+1, trialPatience)
	}
	u.check, u.answers, u.refusals, u.since = false, 0, 0, 0
	return again
}
