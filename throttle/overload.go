package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// An overload decides which requests wait when a response says that the server is
// overloaded: only the request that got it, or all. If other requests are served, only the
// one waits, as with a server that sheds load; if the server answers nothing else, all do. A
// server that goes on like this after several such waits is not about to recover, and from
// then on each request waits for itself again, so that callers are told and do not wait in
// vain. None of this teaches a limit.
type overload struct {
	answers int32 // in a row
	rounds  int32 // how often in a row all have stayed away
}

const (
	overloadAnswers = 8 // so many in a row hold all
	overloadRounds  = 5 // and no more than so often
)

// refuse takes in an answer that says that the server is overloaded.
func (o *overload) refuse(k *Limiter, now instant, t *Reservation, r *header.Reading) {
	o.answers++
	if o.answers < overloadAnswers {
		return
	}
	if !k.cooldown.reports(t) {
		o.rounds++
	}
	if o.rounds <= overloadRounds {
		k.cooldown.refuse(k, now, wait(r), r.Wait.Known(), true, t)
	} else if k.cooldown.halfOpen {
		k.cooldown.release(now)
	}
}

// Sheds reports whether refusals are taken to be those of a server that sheds load, whatever is sent.
func (k *Limiter) Sheds() bool { return k.refusals.Sheds() }

// Doubt takes in that the server sheds load, as refusals show of requests that other limiters admitted. What
// refusals taught here is tried then: for a moment more is sent than it allows.
func (k *Limiter) Doubt(now time.Time) {
	k.expire(k.instant(now))
	k.refusals.Doubt()
}
