package queue

import "time"

// Limit decides when a request may go.
//
// The queue calls its methods one at a time, under its own lock, so a Limit that belongs to one queue
// needs no lock; the methods must not block and must not call the queue. The times passed never go
// back. A Limit may also be a [Canceler], an [Observer], an [Idler], a [Holder] or a [Forecaster].
type Limit interface {
	// Ask reports whether r may go at now and, if not, when asking again makes sense. It spends
	// nothing, and two calls with the same arguments and no other call between them give the same
	// answer.
	Ask(now time.Time, r *Request) Decision
	// Take spends what r costs. The queue calls it right after every limit agreed, with the same now.
	Take(now time.Time, r *Request)
}

// Decision is what a [Limit] says to a request. The zero value is a yes.
type Decision struct {
	// At is the time at which to ask again. A time that is not after now is a yes.
	At time.Time
	// Name names the limit that answers. It appears in errors, so it must not hold a secret.
	Name string
	// Unknown refuses without a time: the queue asks again at the next news, which is an Update of
	// the key, the return of any of its permits, or [Queue.Replan]. At is ignored.
	Unknown bool
	// Max, when positive, refuses for good: the request costs more than the limit can ever give at
	// once, which is Max. The caller gets a [CostError].
	Max int
	// Voluntary says that r could go at once, and is held until At only to spread requests. A
	// request that comes later, and may go at once, need not wait behind it.
	Voluntary bool

	// soonest, if not zero, is the earliest time at which r may go, if requests that are under way are
	// answered soon. It is not after At.
	soonest time.Time
}

// early is the earliest time at which the request may go, as far as is known.
func (a *Decision) early() time.Time {
	if a.soonest.IsZero() {
		return a.At
	}
	return a.soonest
}

// Canceler is a [Limit] that can undo a Take: when a caller gives up in the same instant in which it
// gets its permit, nothing was sent.
type Canceler interface {
	// Return undoes Take(taken, r), whatever was taken since. The times passed to other methods do
	// not go back because of it.
	Return(taken time.Time, r *Request)
}

// Observer is a [Limit] that wants to know when requests are over, to learn how long they are on
// the way.
type Observer interface {
	// Observe reports that a request taken at taken was answered, or failed, at now. The queue calls
	// it once a permit: at the first [Permit.Update], [Permit.Settle] or [Permit.Release].
	Observe(now, taken time.Time)
}

// costObserver is an Observer that also wants to know what the request cost. Requests of several costs
// may have been taken at the same time. A cost of 0 is not known.
type costObserver interface {
	observe(now, taken time.Time, cost int)
}

// observe tells a limit that wants to know of a request that is over. It reports whether it does.
func observe(l Limit, now, taken time.Time, cost int) bool {
	switch o := l.(type) {
	case costObserver:
		o.observe(now, taken, cost)
	case Observer:
		o.Observe(now, taken)
	default:
		return false
	}
	return true
}

// Idler is a [Limit] that can tell whether it still remembers something worth keeping. The queue
// forgets a key only when its limits are idle, or when it holds too many keys (see [WithMaxKeys]). A
// Limit without the method counts as never idle.
type Idler interface {
	// Idle reports whether a new Limit would give the same answers from now on.
	Idle(now time.Time) bool
}

// Forecaster is a [Limit] that can tell when a request at the back of the queue will go.
type Forecaster interface {
	// Forecast returns when r may go if requests that cost ahead in all go first and nothing else
	// happens. It is never later than what will really happen, as far as the limit knows; callers
	// that cannot wait so long are turned away because of it.
	Forecast(now time.Time, ahead int, r *Request) time.Time
}

// goes reports whether a is a yes.
func (a *Decision) goes(now time.Time) bool {
	return a.Max <= 0 && !a.Unknown && !a.At.After(now)
}

// after reports whether a holds a request back for longer than b.
func (a *Decision) after(b *Decision) bool {
	switch {
	case a.Max > 0 || b.Max > 0:
		return a.Max > 0 && b.Max <= 0
	case a.Unknown || b.Unknown:
		return a.Unknown && !b.Unknown
	}
	return a.At.After(b.At)
}
