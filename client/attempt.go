package client

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
)

// An attempt is one request on the wire: its place in the queue, and what its response says. It is
// the Tag of its queue.Request.
type attempt struct {
	queue.Request
	delay           time.Duration // in the queue
	taken           time.Time     // when it got its permit
	ticket          throttle.Reservation
	reading         header.Reading
	key             *keyState
	part            *throttle.Limiter // that admitted it
	shared          uint64            // its number in a fleet; 0 for none
	req             *http.Request
	route           *sharing.Route
	own             *throttle.Limiter // of the cooldown of its route; nil for none
	ownTicket       throttle.Reservation
	above           *throttle.Limiter // of all buckets of its key; nil for none
	aboveTicket     throttle.Reservation
	who             *principal
	groups          sharing.Groups    // of the request; see groupsOf
	counters, all   *sharing.Counters // of its bucket, and of its key after a split; nil if they are not examined
	seen, seenOfAll sharing.Seen
	untold          sharing.UntoldSent
	shown           *sharing.Key // what responses to its credential say; nil where its key is the caller's
	seenKeys        sharing.KeysSeen
	triesURL        bool              // it tests whether a refusal concerns another URL alone
	inBody          uint64            // the owner that its body names, if that matters
	half            sharing.Half      // of a pair; see sharing.Places
	explores        sharing.Levels    // of which it tests whether groups have counters of their own
	noted           bool              // by counters
	epoch           int               // of its key when it was sent
	global          bool              // a refusal says that it concerns more than its route
	again           bool              // the server refused it before
	lasting         bool              // the outage of its route lasts
	refuser         *throttle.Limiter // that learned from its refusal
	scope           uint64            // see WithScope; 0 for none
	name            string            // display name of the key
	permit          queue.Permit
	api             *cost.API // whose rules say what it costs; nil for none
	model           string    // that the request names, if its API has limits for each model

	first    bool // it is the first attempt, and others may follow
	answered bool // it got a response, which is in reading

	// For observers.
	number    int // of the attempt, from 1
	transport *Transport
	sends     *http.Request // the request on the wire
	tellWait  func(queue.Waiting)
	over      time.Time // when it was answered or lost

	waited   bool                    // it waited in the queue
	waitedOn string                  // for this limit, if known
	believed []throttle.WindowStatus // its limits when it was answered
	learned  bool                    // its response changed them

	body    bool // its response has one
	follows bool // its limiter has to know when that is over
}

var attempts = sync.Pool{New: func() any { return new(attempt) }}

// An answer is the outcome of an attempt.
type answer struct {
	resp *http.Response
	err  error

	taken time.Time // when it got its permit

	turnedAway bool // the queue or the breaker refused it, because of err
	refused    bool
	wait       time.Duration // how long the server asked to wait
	waitKnown  bool
	delay      time.Duration // in the queue
	uneven     bool          // requests cost very different amounts
	lasting    bool          // its route serves nothing
	limit      string        // the window that was exhausted
	said       *refusal
	final      error // why waiting does not help
	key        *keyState

	release func() // ends the queue's Hold until the last attempt; nil for none
}

// letGo releases the hold on the queue, if there is one.
func (a *answer) letGo() {
	if a.release != nil {
		a.release()
	}
}

// send passes one request through the queue and sends it through the base transport, and fills in
// ans, which must be empty. It always closes the body of the request.
func (t *Transport) send(req *http.Request, who *principal, c *call, ans *answer) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.prepare(t, who, c)
	if t.observers != nil {
		a.watch(t, req)
	}
	var err error
	if a.permit, err = t.queue.Acquire(c.ctx, &a.Request); err != nil {
		closeBody(req)
		ans.err, ans.turnedAway = err, true
		return
	}
	if t.newBreaker != nil {
		a.guard(t, req, who, ans)
		return
	}
	a.exchange(t, req, who, ans)
}

// refusedInTurn is how many refusals of a request make it wait its turn like others: were it always the
// next to go, nothing would be seen of what becomes of them.
const refusedInTurn = 2

// prepare describes the request to the queue and its limits.
func (a *attempt) prepare(t *Transport, who *principal, c *call) {
	req := c.req
	a.Request = queue.Request{
		Key: who.key, Host: req.URL.Host, Method: req.Method, Path: req.URL.EscapedPath(),
		Cost: c.cost, Priority: c.priority, NoWait: c.noWait, MaxWait: c.maxWait, Retry: c.sent > 0, InTurn: c.refusals >= refusedInTurn, Tag: a,
		Metered: t.queue.CountsUnits(), Patient: !t.ownWait && (c.maxWait == 0 || !t.ownElapsed),
	}
	a.key, a.part, a.req, a.scope, a.number = nil, nil, req, c.scope, c.sent+1
	a.name, a.first = t.nameFor(c), c.sent == 0 && c.mayRetry()
	a.route, a.own, a.global = who.routes.Of(req), nil, false
	a.again, a.lasting, a.noted, a.body, a.follows = c.refusals > 0, false, false, false, false
	a.charge(who, c)
	a.Request.Bucket = a.route.Bucket
	if a.inBody = 0; a.route.Bodies.Load() {
		a.inBody = sharing.OwnerInBody(req)
	}
	a.who, a.groups, a.counters, a.all, a.untold, a.shown = who, sharing.Groups{}, nil, nil, sharing.UntoldSent{}, nil
	if c.own != nil && c.own.host != nil && c.scope == 0 {
		a.shown = &c.own.shown
	}
	switch l := sharing.Level(a.route.Level.Load()); {
	case c.scope != 0:
		a.Request.Bucket = c.bucket
	case l >= sharing.ByThing: // groups do not wait for each other
		a.Request.Bucket += " " + strconv.FormatUint(a.groupsOf()[l], 36)
	}
}

// groupsOf returns the groups of the request.
func (a *attempt) groupsOf() *sharing.Groups {
	if a.groups[sharing.ByPath] == 0 {
		a.groups = sharing.GroupsOf(a.req, a.route, a.inBody)
	}
	return &a.groups
}

// exchange sends a request that has a permit, and learns from its response. After a panic, it
// releases the permit and closes everything that is open.
func (a *attempt) exchange(t *Transport, req *http.Request, who *principal, ans *answer) {
	over := false
	defer func() {
		if !over { // deferred, so that each is done even if another panics
			defer discard(ans.resp)
			defer closeBody(req)
			defer ans.letGo()
			defer a.settleLost(t)
			a.end(false)
		}
	}()
	if t.observers != nil {
		a.tellAdmitted(t)
	}
	ans.resp, ans.err = t.base.RoundTrip(req)
	a.finish(t, who, ans)
	over = true
}

// finish handles the outcome of an attempt.
func (a *attempt) finish(t *Transport, who *principal, ans *answer) {
	ans.taken = a.taken
	switch {
	case ans.resp == nil && ans.err == nil:
		ans.err = errNothing
		fallthrough
	case ans.err != nil:
		a.hold(t, ans)
		a.end(false)
		a.settleLost(t)
		discard(ans.resp) // there should be none
		ans.resp, ans.key = nil, a.key
	default:
		ensureBody(ans.resp)
		a.body = ans.resp.Body != http.NoBody && ans.resp.StatusCode != http.StatusSwitchingProtocols
		body := a.read(who.reader, ans)
		ans.refused = a.reading.Refused
		a.hold(t, ans)
		costs := a.meter(t, who, ans.resp)
		a.end(true)
		costs.watch(ans.resp)
		a.follow(t, ans.resp)
		a.Metered = false // the end of the body settles it
		if ans.refused {
			a.remember(t, who.reader, ans, body)
		}
		a.report(ans)
	}
	if t.observers != nil {
		a.tellAnswered(t, ans)
	}
}

// hold keeps the queue from shutting down after the attempt, if the request may be sent again.
func (a *attempt) hold(t *Transport, ans *answer) {
	if a.first && (t.checks || ans.questionable()) {
		ans.release = t.queue.Hold()
	}
}

// end tells the queue that the attempt is over, and its limits whether it was answered; see
// [keyState.Done].
func (a *attempt) end(answered bool) {
	a.answered = answered
	a.permit.Release()
}

// ensureBody gives a response a body if it has none, because callers rely on it as they do with
// http.Transport.
func ensureBody(resp *http.Response) {
	if resp.Body == nil && resp.ContentLength <= 0 {
		resp.Body = http.NoBody
	}
}

var errNothing = errors.New("client: the base transport returned neither a response nor an error")

// bodyPatience is how long to wait for the body of a refusal if it may say when to retry.
const bodyPatience = 2 * time.Second

// globalPatience is how long to wait for the body of a refusal if it may say what is refused.
const globalPatience = 100 * time.Millisecond

// read reads what the response says of limits, and returns what it read of the body.
func (a *attempt) read(r *header.Reader, ans *answer) (body []byte) {
	now, resp := a.taken, ans.resp
	if resp.StatusCode > 299 {
		now = time.Now() // the start of waits, if the response has no Date
	}
	body, ans.resp = r.ReadResponse(&a.reading, resp, bodyPatience, now)
	if !a.reading.Refused && (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden && a.reading.Exhausted()) {
		a.reading.Windows = nil // these are the limits of requests without a valid key
	}
	if a.reading.Refused && !a.reading.Exhausted() {
		if body == nil {
			// The body may say what is refused, and whether waiting helps.
			if body, ans.resp = header.PeekBody(ans.resp, globalPatience); len(body) > 0 {
				r.Read(&a.reading, resp.StatusCode, resp.Header, body, now)
			}
		}
		a.global = isGlobal(ans.resp, body)
	}
	a.untilNextDay(now)
	return body
}

// report copies what is needed after the attempt is reused.
func (a *attempt) report(ans *answer) {
	ans.key, ans.delay, ans.lasting = a.key, a.delay, a.lasting
	ans.final = finalError(&a.reading)
	ans.wait, ans.waitKnown = a.reading.Wait.Delay, a.reading.Wait.Known()
	if !ans.refused {
		return
	}
	ans.uneven = a.ticket.Uneven
	for i := range a.reading.Windows {
		if a.reading.Windows[i].Exhausted() {
			ans.limit = a.reading.Windows[i].Name
		}
	}
}

// closeBody closes the body of a request that is not sent.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // the caller asked for nothing to be read from it
	}
}
