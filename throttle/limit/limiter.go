package limit

import "time"

// A Limiter decides when requests may go.
//
// Its caller calls one method at a time, so a Limiter needs no lock of its own, as long as only one
// caller uses it. The methods must not block and must not call back into the caller. The times passed
// to them never go back. Embed [NoHooks] in a Limiter that needs no more than Ask and Take.
type Limiter interface {
	// Ask reports whether a request may go at now and, if not, when to ask again. It spends nothing,
	// and gives the same answer when called again with the same arguments and no other call in between.
	Ask(now time.Time, d Demand) Decision
	// Take spends what the request asks for. The caller calls it right after every limiter agreed,
	// with the same now.
	Take(now time.Time, d Demand)
	// Cancel undoes Take(taken, d), whatever was taken since: the request was not sent. The times
	// passed to other methods do not go back because of it.
	Cancel(taken time.Time, d Demand)
	// Done reports that the request taken at taken was answered, or failed, at now. It is called at
	// most once a request, and not after Cancel.
	Done(now, taken time.Time, d Demand)
	// Settle reports what a request with a Metered demand cost of units other than requests, as soon as
	// that is known. It is called once for each request, after Done. The request spent nothing of units
	// that are not in used; a nil map means that the cost is not known.
	Settle(now time.Time, d Demand, used map[string]float64)
	// Forecast returns when a request may go if requests that cost ahead in all go first and nothing
	// else happens. That is never later than what will really happen, as far as the limiter knows:
	// callers that cannot wait so long are turned away because of it. The zero Decision says that the
	// limiter does not know. What is ahead is in the units of Requests; what those requests surely
	// spend of Units is part of d.
	Forecast(now time.Time, ahead int, d Demand) Decision
	// Idle reports whether a new limiter would give the same answers from now on, so that this one can
	// be forgotten.
	Idle(now time.Time) bool
}

// NoHooks implements the methods of a [Limiter] other than Ask and Take. They do nothing: a limiter that
// embeds it keeps what canceled requests spent, learns nothing from answers, forecasts nothing and is
// never idle.
type NoHooks struct{}

// Cancel does nothing.
func (NoHooks) Cancel(time.Time, Demand) {}

// Done does nothing.
func (NoHooks) Done(time.Time, time.Time, Demand) {}

// Settle does nothing.
func (NoHooks) Settle(time.Time, Demand, map[string]float64) {}

// Forecast returns the zero Decision.
func (NoHooks) Forecast(time.Time, int, Demand) Decision { return Decision{} }

// Idle returns false.
func (NoHooks) Idle(time.Time) bool { return false }
