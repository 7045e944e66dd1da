package client

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// An EventKind is the kind of an [Event].
type EventKind string

// The kinds of events. A request that is sent at once, answered and not retried
// makes two events: Admit and Answer.
const (
	// EventWait: a request has to wait. As far as is known, Limit is the limit that it
	// waits for, Until about when it will be sent, and Ahead how many go before it.
	EventWait EventKind = "wait"
	// EventAdmit: an attempt is about to be sent. If it had to wait, Delay is how long, and
	// Limit what it waited for first, as far as is known. Otherwise Delay is 0.
	EventAdmit EventKind = "admit"
	// EventAnswer: an attempt was answered after Delay with Status, or ended with
	// Err. It was not refused.
	EventAnswer EventKind = "answer"
	// EventRefuse: the server refused an attempt because of a limit. Limit names it, and
	// Until is when the request may be sent again, if the server said so.
	EventRefuse EventKind = "refuse"
	// EventLearn: a response changed what is known of the limits; see Limits. The event
	// follows that of the response.
	EventLearn EventKind = "learn"
	// EventRetry: a request will be retried because of Status or Err. It enters the queue
	// at Until, after a pause of Delay. Limit is what refused it, if that is known.
	EventRetry EventKind = "retry"
	// EventGiveUp: a request that should have been sent, or retried, is given up. Err says
	// why: it is an [*Error] or a [*backoff.StopError]. If the request was never sent, its
	// caller gets that Error; if it was answered, its caller gets the last response.
	EventGiveUp EventKind = "give up"
	// EventStoreAway: the store of the fleet does not answer, and what it knows of Key, or of
	// the rules if Key is empty, is not shared until an EventStoreBack; see [WithFleet]. These
	// two are about no request: Request is nil, and the goroutine is that of a call to the store.
	EventStoreAway EventKind = "store away"
	// EventStoreBack: the store of the fleet answers again.
	EventStoreBack EventKind = "store back"
)

// An Event is a decision about a request, or its outcome; see [WithObserver].
// Fields that the description of its kind does not mention are zero.
type Event struct {
	Kind EventKind
	Time time.Time `json:",omitzero"`
	// Request is the caller's request. It must not be modified, and holds credentials. It is
	// nil where the event is about none.
	Request *http.Request `json:"-"`
	// Key is the hash of the request's key, the same as in [Memory] and [Status]. Host is
	// the host of the request, and Name the name that [WithKeyName] or [WithKeyNames] gives
	// to the key.
	Key        string
	Host, Name string `json:",omitzero"`
	// Attempt is the number of the attempt, from 1.
	Attempt int `json:",omitzero"`
	// Limit is the name of the limit that the event is about, or empty.
	Limit string        `json:",omitzero"`
	Until time.Time     `json:",omitzero"`
	Ahead int           `json:",omitzero"`
	Delay time.Duration `json:",omitzero"`
	// Status is the status of the response to the attempt, or 0 if there was none.
	Status int   `json:",omitzero"`
	Err    error `json:"-"`
	// Told is what the response says about limits, for Answer and Refuse. It is valid only
	// until the observer returns; use Clone to keep a copy.
	Told []header.Window `json:",omitempty"`
	// Limits are the limits of the request as far as they are known now, for Answer,
	// Refuse and Learn. An observer may keep them but, as they are shared, not modify them.
	Limits []throttle.WindowStatus `json:",omitempty"`
}

// MarshalJSON omits the request and zero fields. It encodes the error as its text.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	text := ""
	if e.Err != nil {
		text = e.Err.Error()
	}
	return json.Marshal(struct {
		plain
		Err string `json:",omitzero"`
	}{plain(e), text})
}

// WithObserver makes the transport call f with every event. The call runs in the goroutine
// of the request and blocks it, so f may be called by several goroutines at once. No lock
// is held, so f may call the transport. If f panics, so does RoundTrip. Several observers
// may be set; each sees every event. Without an observer, events cost nothing.
//
// Package observe has observers that log, record and warn.
func WithObserver(f func(Event)) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("client: WithObserver got no function")
		}
		s.observers = append(s.observers, f)
		return nil
	}
}

// tell passes an event to the observers.
func (t *Transport) tell(e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	for _, f := range t.observers {
		f(e)
	}
}

// storeTold returns what tells the observers that the store of a fleet is away, or back; nil if there
// are none.
func (t *Transport) storeTold(key string) func(away bool) {
	if t.observers == nil {
		return nil
	}
	return func(away bool) {
		e := Event{Kind: EventStoreBack, Key: key}
		if away {
			e.Kind = EventStoreAway
		}
		t.tell(e)
	}
}

// event returns an event about an attempt.
func (a *attempt) event(kind EventKind) Event {
	return Event{Kind: kind, Request: a.req, Key: a.who.name, Host: a.req.URL.Host, Name: a.name, Attempt: a.number}
}

// watch arranges for observers to be told if the attempt, which is to send req, has to wait.
func (a *attempt) watch(t *Transport, req *http.Request) {
	a.believed, a.learned, a.waited, a.waitedOn = nil, false, false, ""
	if a.tellWait == nil { // otherwise it is reused together with the attempt
		a.tellWait = func(w queue.Waiting) { a.tellWaits(w) }
	}
	a.transport, a.sends, a.OnWait = t, req, a.tellWait
}

// tellWaits tells the observers that the attempt waits.
func (a *attempt) tellWaits(w queue.Waiting) {
	told := false
	defer func() {
		if !told { // an observer panics
			closeBody(a.sends)
		}
	}()
	e := a.event(EventWait)
	if place, ok := w.Position(); ok {
		e.Limit, e.Until, e.Ahead = place.Limit, place.Start, place.Ahead
	}
	a.waited, a.waitedOn = true, e.Limit
	a.transport.tell(e)
	told = true
}

// tellAdmitted tells the observers that the attempt is about to be sent.
func (a *attempt) tellAdmitted(t *Transport) {
	e := a.event(EventAdmit)
	if a.waited {
		e.Delay, e.Limit = a.delay, a.waitedOn
	} else {
		e.Time = a.taken
	}
	t.tell(e)
}

// tellAnswered tells the observers the outcome of the attempt.
func (a *attempt) tellAnswered(t *Transport, ans *answer) {
	e := a.event(EventAnswer)
	e.Time, e.Delay, e.Err = a.over, a.over.Sub(a.taken), ans.err
	if ans.resp == nil {
		t.tell(e)
		return
	}
	e.Status, e.Told, e.Limits = ans.resp.StatusCode, a.reading.Windows, a.believed
	if ans.refused {
		e.Kind, e.Limit = EventRefuse, ans.limit
		if ans.waitKnown {
			e.Until = a.over.Add(ans.wait)
		}
	}
	t.tell(e)
	if a.learned {
		e := a.event(EventLearn)
		e.Status, e.Limits = ans.resp.StatusCode, a.believed
		t.tell(e)
	}
}

// believe records the limits of an attempt that was answered, and whether its response changed them.
// The queue's lock must be held.
func (l *keyState) believe(now time.Time, a *attempt) {
	part := l.limiterOf(now, a)
	if a.scope == 0 {
		part = cmp.Or(l.cooldown(l.placeOf(a)), part)
	}
	a.believed = l.statusOf(now, a).Windows
	known := l.shapes[part]
	a.learned = !slices.EqualFunc(known, a.believed, func(s shape, w throttle.WindowStatus) bool { return s == shapeOf(&w) })
	if !a.learned {
		return
	}
	if l.shapes == nil {
		l.shapes = make(map[*throttle.Limiter][]shape)
	}
	shapes := make([]shape, len(a.believed))
	for i := range a.believed {
		shapes[i] = shapeOf(&a.believed[i])
	}
	l.shapes[part] = shapes
}

// A shape is the part of a limit that does not change with every response.
type shape struct {
	name, unit, scope string
	limit             int
	length            time.Duration
	kind              throttle.Kind
	others            bool
}

func shapeOf(w *throttle.WindowStatus) shape {
	s := shape{name: w.Name, unit: w.Unit, scope: w.Scope, limit: w.Limit, others: w.Others}
	if w.Told || w.Sure {
		s.length = w.Length
	}
	if w.Sure {
		s.kind = w.Kind
	}
	return s
}

// tellRetry tells the observers that the request will be sent again.
func (l *loop) tellRetry() {
	e := l.event(EventRetry)
	now := time.Now()
	e.Delay, e.Until, e.Err = l.wait, now.Add(l.wait), l.last.err
	if l.last.refused {
		e.Limit = l.last.limit
	}
	l.t.tell(e)
}

// gaveUp reports whether a request that should be sent again is not. err is the error that the caller
// gets instead of a response.
func (l *loop) gaveUp(err error) bool { return l.whyGivenUp(new(Event), err) }

// tellGivenUp tells the observers that a request that should be sent again is not. err is the error
// that the caller gets instead of a response.
func (l *loop) tellGivenUp(err error) {
	told := false
	defer func() {
		if !told { // an observer panics
			discard(l.last.resp)
		}
	}()
	if e := l.event(EventGiveUp); l.whyGivenUp(&e, err) {
		l.t.tell(e)
	}
	told = true
}

func (l *loop) whyGivenUp(e *Event, err error) bool {
	if err == nil {
		err = l.stopped // although the caller gets a response
	}
	if limited, ok := errors.AsType[*Error](err); ok {
		e.Err, e.Limit, e.Until, e.Ahead = limited, limited.Limit, limited.Until, limited.Ahead
		return true
	}
	if l.last.final != nil {
		e.Err = l.last.final
		return true
	}
	stop, ok := errors.AsType[*backoff.StopError](l.stopped)
	if !ok || stop.Reason == backoff.StopContext || stop.Reason == backoff.StopVerdict {
		return false
	}
	e.Err, e.Limit, e.Until = stop, l.last.limit, stop.Until
	return true
}

func (l *loop) event(kind EventKind) Event {
	return Event{
		Kind: kind, Request: l.req, Key: l.who.name, Host: l.req.URL.Host, Name: l.t.nameFor(&l.call), Attempt: l.attempts, Status: l.status,
	}
}
