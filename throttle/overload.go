package throttle

import "github.com/forbear-go/forbear/throttle/header"

// An overload decides whom an answer holds that says that the server is overloaded: only
// the request that got it, or all. Where others are served it is the one request, as
// with a server that sheds load; a server that answers nothing else is left alone by
// all. One that does so again and again does not pass, and then it is each request for
// itself again, so that callers are told and do not wait in vain. Nothing of that
// teaches a limit.
type overload struct {
	answers int // in a row
	rounds  int // how often in a row all have stayed away
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
		k.cooldown.refuse(k, now, wait(r), r.Wait.Known(), t)
	} else if k.cooldown.halfOpen {
		k.cooldown.release(now)
	}
}
