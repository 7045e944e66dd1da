package client

import (
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// WithCosts adds APIs whose requests and responses tell what they cost where a limit counts
// something else than requests: tokens, points, credits. They come before those that package
// cost knows, which need no option.
func WithCosts(apis ...*cost.API) Option {
	return func(s *settings) error {
		for _, api := range apis {
			if api == nil {
				return errors.New("client: WithCosts got no API")
			}
			if len(api.Hosts) == 0 {
				return errors.New("client: WithCosts: the API " + api.Name + " has no hosts")
			}
		}
		s.apis = append(s.apis, apis...)
		return nil
	}
}

// WithUnits returns a context whose requests surely spend u of the limits that count something
// else than requests: {"tokens": 850}. What was estimated from their bodies does not count then.
// A cost that a limit never allows at once is a [queue.CostError] before anything is sent.
func WithUnits(ctx context.Context, u cost.Units) context.Context {
	return withCallOption(ctx, func(o *callOptions) { o.units = maps.Clone(u) })
}

// charge finds out what the request costs, as far as it says so.
func (a *attempt) charge(who *principal, c *call) {
	a.api, a.model, a.Units = nil, "", c.units
	for _, api := range who.apis {
		if api.Serves(c.req) {
			a.api = api
			break
		}
	}
	spoken := a.api == nil && who.tokens.Load()
	if spoken {
		a.api = cost.Spoken(c.req)
	}
	if a.api == nil {
		return
	}
	if !c.estimated {
		c.estimate, c.estimated = a.api.Estimate(c.req), true
	}
	if spoken && c.estimate.Model == "" {
		a.api = nil // it only looks like it
		return
	}
	a.Estimate = limit.Estimate{Bytes: c.estimate.Bytes, Most: c.estimate.Most}
	if spoken { // what its route learned before is not thrown away
		return
	}
	if a.model = c.estimate.Model; a.model != "" {
		a.route = who.routes.OfModel(a.route, a.model)
	}
}

// untilNextDay has a refusal hold until the next day whose quota of a day is used up. The wait
// beside it may be that of a shorter period, after which the server refuses again.
func (a *attempt) untilNextDay(now time.Time) {
	if a.api == nil || !a.reading.Refused || a.reading.Reason != header.PeriodQuota {
		return
	}
	if at, ok := a.api.NextDay(now); ok && at.Sub(now) > a.reading.Wait.Delay {
		a.reading.Wait = header.Wait{Reset: header.Reset{At: at, Resolution: time.Second}, Delay: at.Sub(now), Explicit: true}
	}
}

// A metering is what is still to be taken in once the body of a response was read.
type metering struct {
	t           *Transport
	who         *principal
	key         string
	part        *throttle.Limiter
	reservation throttle.Reservation
	meter       *cost.Meter    // nil if the response tells nothing
	request     *queue.Request // nil if no rule counts something else than requests
	refused     bool
}

// costFields are the fields in which responses of any API tell what a request cost.
var costFields = &cost.API{Header: []cost.Term{
	{Field: "X-Ratelimit-Tokens-Query-Cost", Unit: "tokens"},
	{Field: "X-Ms-Request-Charge", Unit: "request-units"},
	{Field: "X-Complexity", Unit: "complexity"},
}}

// tellsCost reports whether a header has one of the costFields.
func tellsCost(h http.Header) bool {
	for i := range costFields.Header {
		if h[costFields.Header[i].Field] != nil {
			return true
		}
	}
	return false
}

// meter returns what watches the body of a response for what it says of its cost, nil if nothing
// has to. The reservation is told so.
func (a *attempt) meter(t *Transport, who *principal, resp *http.Response) *metering {
	if a.reading.Refused {
		a.ticket.Uneven = who.costs.Uneven()
		if a.own != nil {
			a.ownTicket.Uneven = a.ticket.Uneven
		}
		a.aboveTicket.Uneven = a.ticket.Uneven
	}
	if a.reading.Refused && a.Metered {
		return &metering{t: t, request: a.asked(), refused: true}
	}
	if a.api == nil && !who.tokens.Load() && limitsTokens(&a.reading) {
		who.tokens.Store(true)
	}
	if a.reading.Refused || a.api == nil && !a.ticket.CountsUnits() && !a.Metered && !tellsCost(resp.Header) {
		return nil
	}
	m := &metering{t: t, who: who, key: a.Request.Key, part: a.part, request: a.asked()}
	if a.api != nil {
		m.meter = a.api.Meter(resp, a.model)
	} else {
		m.meter = costFields.Meter(resp, "")
	}
	a.ticket.Metered, a.ticket.Streamed = true, isStream(resp.Header)
	m.reservation = a.ticket
	return m
}

// limitsTokens reports whether a response told a limit on tokens.
func limitsTokens(r *header.Reading) bool {
	for i := range r.Windows {
		if w := &r.Windows[i]; strings.HasSuffix(w.Unit, "tokens") || w.Unit == "" && w.Name == "tokens" {
			return true
		}
	}
	return false
}

// unevenWait returns how long a request waits that was refused so many times, where requests cost very different
// amounts: twice as long each time as the server asked for, since what is there by then may be less than it costs.
func unevenWait(named time.Duration, times int) time.Duration {
	const longest = 30 * time.Second
	return max(named, min(named<<min(times-1, 8), longest))
}

// asked returns what the queue was asked, for when the attempt is over; nil if that does not matter.
func (a *attempt) asked() *queue.Request {
	if !a.Metered {
		return nil
	}
	r := a.Request
	r.Tag = nil
	return &r
}

// settleLost tells the rules of an attempt without an answer: what it cost is not known.
func (a *attempt) settleLost(t *Transport) {
	if a.Metered {
		t.queue.Settle(&a.Request, nil)
		a.Metered = false
	}
}

// watch has the costs settled once the body of a response is over.
func (m *metering) watch(resp *http.Response) {
	if m == nil {
		return
	}
	if m.refused || resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		m.settle()
		return
	}
	var w io.Writer // not a nil *cost.Meter
	if m.meter != nil {
		w = m.meter
	}
	resp.Body = cost.Watch(resp.Body, w, m.settle)
}

// settle takes in what the response says that the request cost.
func (m *metering) settle() {
	if m.refused {
		m.t.queue.Settle(m.request, cost.Units{})
		return
	}
	var used cost.Units
	if m.meter != nil {
		used = m.meter.Used()
		m.who.costs.Observe(used)
	}
	if m.request != nil {
		m.t.queue.Settle(m.request, total(used))
	}
	m.t.queue.Update(m.key, func(now time.Time, _ limit.Limiter) { m.part.Settle(now, m.reservation, used) })
}

// total returns what was used with the sum of tokens, nil if nothing is known.
func total(used cost.Units) cost.Units {
	if _, ok := used["tokens"]; !ok {
		if n, ok := used.Of("tokens", "tokens"); ok {
			return used.Add(cost.Units{"tokens": n})
		}
	}
	if len(used) == 0 {
		return nil
	}
	return used
}

// isStream reports whether a response comes in pieces, so that its header tells what remained
// before the server knew what the request costs.
func isStream(h http.Header) bool {
	value := h.Get("Content-Type")
	if value == "" || strings.HasPrefix(value, "application/json") {
		return false
	}
	kind, _, err := mime.ParseMediaType(value)
	if err != nil {
		return false
	}
	switch kind {
	case "text/event-stream", "application/x-ndjson", "application/jsonl", "application/vnd.amazon.eventstream":
		return true
	}
	return false
}
