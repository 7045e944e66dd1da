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

// An EventKind is what an [Event] tells.
type EventKind string

// The kinds of events. A request that goes at once, is answered and not sent again
// makes two: Admit and Answer.
const (
	// EventWait: a request has to wait. Limit says what for, Until about when it
	// will go, and Ahead how many go before it, as far as is known.
	EventWait EventKind = "wait"
	// EventAdmit: a request goes on the wire. If it had to wait, Delay is how long, and
	// Limit what it waited for first, as far as is known. Otherwise Delay is 0.
	EventAdmit EventKind = "admit"
	// EventAnswer: an attempt was answered after Delay with Status, or ended with
	// Err. It was not refused.
	EventAnswer EventKind = "answer"
	// EventRefuse: an attempt was refused because of a limit: Limit, if the server
	// said which. Until is when the server wants to be asked again, if it said so.
	EventRefuse EventKind = "refuse"
	// EventLearn: more or something else is believed of the limits than before; see
	// Limits. It follows the answer or refusal that taught it.
	EventLearn EventKind = "learn"
	// EventRetry: a request will be sent again, because of Status or Err. It enters the queue
	// at Until, after a pause of Delay. Limit is what refused it, if that is known.
	EventRetry EventKind = "retry"
	// EventGiveUp: a request is not sent, or not once more, although it would have
	// been worth it. Err says why: it is an [*Error] or a [*backoff.StopError]. A
	// caller whose request was never sent gets that Error, and one whose request was
	// answered gets the last answer.
	EventGiveUp EventKind = "give up"
)

// An Event is one decision about a request, or what came of it; see [WithObserver].
// Fields that its kind does not speak of are zero.
type Event struct {
	Kind EventKind
	Time time.Time `json:",omitzero"`
	// Request is the caller's request. It must not be changed, and holds credentials.
	Request *http.Request `json:"-"`
	// Key is who spends, the hash that [Memory] and [Status] have too. Host is the host of the
	// request, and Name what [WithKeyName] or [WithKeyNames] calls the key.
	Key        string
	Host, Name string `json:",omitzero"`
	// Attempt counts the times that the request was sent, this one included: from 1.
	Attempt int `json:",omitzero"`
	// Limit names the limit that the event is about; it is empty when none is known.
	Limit string        `json:",omitzero"`
	Until time.Time     `json:",omitzero"`
	Ahead int           `json:",omitzero"`
	Delay time.Duration `json:",omitzero"`
	// Status is that of the response to the attempt; 0 when there was none.
	Status int   `json:",omitzero"`
	Err    error `json:"-"`
	// Told is what the response said of limits, for Answer and Refuse. It may only
	// be read until the observer returns; Clone makes a copy to keep.
	Told []header.Window `json:",omitempty"`
	// Limits are those that the request obeys, as they are believed to be now, for
	// Answer, Refuse and Learn. They may be kept, but are shared: they must not be changed.
	Limits []throttle.WindowStatus `json:",omitempty"`
}

// MarshalJSON leaves out the request, and what is zero. The error becomes its text.
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

// WithObserver lets f see every decision. It runs in the goroutine of the request that
// the event is about, which waits for it, and so several times at once; no lock is
// held, so f may call the transport. A panic of f is one of its request. Of several
// observers each sees everything. Without one, events cost nothing.
//
// Package observe has observers that log, keep, and warn.
func WithObserver(f func(Event)) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("client: WithObserver got no function")
		}
		s.observers = append(s.observers, f)
		return nil
	}
}

// tell lets the observers see an event.
func (t *Transport) tell(e Event) {
	e.Time = time.Now()
	for _, f := range t.observers {
		f(e)
	}
}

// event returns an event about an attempt.
func (a *attempt) event(kind EventKind) Event {
	return Event{Kind: kind, Request: a.req, Key: nameOf(a.Key), Host: a.req.URL.Host, Name: a.name, Attempt: a.number}
}

// watch arranges that observers see the attempt wait, which is to send req.
func (a *attempt) watch(t *Transport, req *http.Request) {
	a.believed, a.learned, a.waited, a.waitedOn = nil, false, false, ""
	a.OnWait = func(w queue.Waiting) {
		told := false
		defer func() {
			if !told { // an observer panics
				closeBody(req)
			}
		}()
		e := a.event(EventWait)
		if place, ok := w.Position(); ok {
			e.Limit, e.Until, e.Ahead = place.Limit, place.Start, place.Ahead
		}
		a.waited, a.waitedOn = true, e.Limit
		t.tell(e)
		told = true
	}
}

// tellAdmitted lets the observers see that the attempt goes on the wire.
func (a *attempt) tellAdmitted(t *Transport) {
	e := a.event(EventAdmit)
	if a.waited {
		e.Delay, e.Limit = max(a.taken.Sub(a.arrived), 0), a.waitedOn
	}
	t.tell(e)
}

// tellAnswered lets the observers see what came of the attempt.
func (a *attempt) tellAnswered(t *Transport, ans *answer) {
	e := a.event(EventAnswer)
	e.Delay, e.Err = time.Since(a.taken), ans.err
	if ans.resp == nil {
		t.tell(e)
		return
	}
	e.Status, e.Told, e.Limits = ans.resp.StatusCode, a.reading.Windows, a.believed
	if ans.refused {
		e.Kind, e.Limit = EventRefuse, ans.limit
		if ans.waitKnown {
			e.Until = time.Now().Add(ans.wait)
		}
	}
	t.tell(e)
	if a.learned {
		e := a.event(EventLearn)
		e.Status, e.Limits = ans.resp.StatusCode, a.believed
		t.tell(e)
	}
}

// believe notes what is believed of the limits of an attempt that was answered, and
// whether that is news. It runs under the queue's lock.
func (l *learned) believe(now time.Time, a *attempt) {
	part := l.of(now, a)
	if a.scope == 0 {
		part = cmp.Or(l.cooldown(a.route.id), part)
	}
	a.believed = l.statusOf(now, a).Windows
	shapes := shapesOf(a.believed)
	a.learned = !slices.Equal(shapes, l.shapes[part])
	if !a.learned {
		return
	}
	if l.shapes == nil {
		l.shapes = make(map[*throttle.Limiter][]shape)
	}
	l.shapes[part] = shapes
}

// A shape is what of a limit does not change with every answer.
type shape struct {
	name, unit, scope string
	limit             int
	length            time.Duration
	kind              throttle.Kind
	others            bool
}

func shapesOf(limits []throttle.WindowStatus) []shape {
	shapes := make([]shape, len(limits))
	for i, w := range limits {
		s := &shapes[i]
		*s = shape{name: w.Name, unit: w.Unit, scope: w.Scope, limit: w.Limit, others: w.Others}
		if w.Told || w.Sure {
			s.length = w.Length
		}
		if w.Sure {
			s.kind = w.Kind
		}
	}
	return shapes
}

// tellRetry lets the observers see that the request will be sent again.
func (l *loop) tellRetry() {
	e := l.event(EventRetry)
	now := time.Now()
	e.Delay, e.Until, e.Err = l.wait, now.Add(l.wait), l.last.err
	if l.last.refused {
		e.Limit = l.last.limit
	}
	l.t.tell(e)
}

// gaveUp reports whether the request is not sent again although it would have been worth
// it; err is what the caller gets in place of a response.
func (l *loop) gaveUp(err error) bool { return l.whyGivenUp(new(Event), err) }

// tellGivenUp lets the observers see that the request will not be sent again, if it
// would have been worth it: err is what the caller gets in place of a response.
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
		err = l.stopped // for which the caller gets an answer all the same
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
		Kind: kind, Request: l.req, Key: nameOf(l.who.key), Host: l.req.URL.Host, Name: l.t.nameFor(&l.call),
		Attempt: l.attempts, Status: l.status,
	}
}
