package level_test

import (
	"math/rand/v2"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/internal/level"
)

// oracle stands at the server's door and sees everything.
type oracle struct{}

func (oracle) ask(time.Time, *request) (bool, time.Time) { return true, time.Time{} }

func (oracle) send(time.Time, *request) {}

func (oracle) header(time.Time, *request, told) {}

func (oracle) done(time.Time, *request, bool) {}

func (oracle) refused(now time.Time, _ *request, _ told) time.Time {
	return now.Add(time.Second) // others were there first
}

// seer sees what is left at the server at every moment, and keeps a reserve for what ends before its request
// arrives. No client that sees responses alone knows as much.
type seer struct {
	reserve float64
	pool    ratemodel.Pool
}

func (s *seer) ask(now time.Time, _ *request) (bool, time.Time) {
	wait := s.pool.Wait(now, s.reserve)
	return wait == 0, now.Add(wait)
}

func (*seer) send(time.Time, *request) {}

func (*seer) header(time.Time, *request, told) {}

func (*seer) done(time.Time, *request, bool) {}

func (*seer) refused(now time.Time, _ *request, w told) time.Time { return now.Add(w.retry) }

// retry sends at once, and again when Retry-After has passed.
type retry struct{ rng *rand.Rand }

func (retry) ask(time.Time, *request) (bool, time.Time) { return true, time.Time{} }

func (retry) send(time.Time, *request) {}

func (retry) header(time.Time, *request, told) {}

func (retry) done(time.Time, *request, bool) {}

func (c retry) refused(now time.Time, _ *request, w told) time.Time {
	return now.Add(w.retry + time.Duration(c.rng.Int64N(int64(time.Second/4))))
}

// declared is told the limits, and takes the prompt and max_tokens from them;
// with refunds it puts back what was not used.
type declared struct {
	scenario

	refunds          bool
	tokens, requests float64
	last             time.Time
	pause            time.Time
}

func (c *declared) advance(now time.Time) {
	if !c.last.IsZero() {
		minutes := now.Sub(c.last).Minutes()
		c.tokens, c.requests = min(c.limit, c.tokens+minutes*c.limit), min(600, c.requests+minutes*600)
	}
	c.last = now
}

func (c *declared) ask(now time.Time, r *request) (bool, time.Time) {
	c.advance(now)
	if now.Before(c.pause) {
		return false, c.pause
	}
	need := min(r.Prompt+r.MaxOutput, c.limit)
	if c.tokens >= need && c.requests >= 1 {
		return true, time.Time{}
	}
	minutes := max((need-c.tokens)/c.limit, (1-c.requests)/600)
	return false, now.Add(time.Duration(minutes*float64(time.Minute)) + time.Microsecond)
}

func (c *declared) send(_ time.Time, r *request) {
	c.tokens -= r.Prompt + r.MaxOutput
	c.requests--
}

func (c *declared) header(time.Time, *request, told) {}

func (c *declared) done(now time.Time, r *request, usage bool) {
	if c.refunds && usage {
		c.advance(now)
		c.tokens = min(c.limit, c.tokens+r.MaxOutput-r.Output)
	}
}

func (c *declared) refused(now time.Time, r *request, w told) time.Time {
	c.pause = now.Add(15 * time.Second)
	if c.refunds {
		c.tokens += r.Prompt + r.MaxOutput
		c.pause = now.Add(w.retry)
	}
	return c.pause
}

// ours is the rule of the package, told nothing.
type ours struct {
	scenario

	tokens, requests *level.Limiter
	never            int
	first            time.Time // when the first request was sent
	sent             int       // requests before the first response
	told             bool
}

type holds struct{ tokens, requests *level.Hold }

func newOurs(c scenario) client {
	return &ours{scenario: c, tokens: level.New(), requests: level.New()}
}

var one = level.Demand{Cost: 1, Known: true}

func (c *ours) demand(r *request) level.Demand {
	switch {
	case c.exact:
		return level.Demand{Cost: r.tokens() * c.factor, Known: true}
	case c.silent && c.hideMax:
		return level.Demand{}
	case c.hideMax:
		return level.Demand{Prompt: r.bytes}
	}
	return level.Demand{Prompt: r.bytes, Most: r.MaxOutput}
}

func (c *ours) ask(now time.Time, r *request) (bool, time.Time) {
	if !c.told && !c.patient {
		at := c.first
		if c.sent > 0 {
			at = c.first.Add(230*time.Millisecond + time.Duration(c.sent)*10*time.Millisecond)
		}
		return !now.Before(at), at
	}
	a, b := c.tokens.Ask(now, c.demand(r)), c.requests.Ask(now, one)
	switch {
	case a.Never || b.Never:
		c.never++
		return false, time.Time{}
	case a.Go && b.Go:
		return true, time.Time{}
	case a.Go:
		return false, b.At
	case b.Go || a.At.IsZero():
		return false, a.At
	case b.At.IsZero() || b.At.After(a.At):
		return false, b.At
	}
	return false, a.At
}

func (c *ours) send(now time.Time, r *request) {
	if c.sent++; c.sent == 1 {
		c.first = now
	}
	r.state = holds{c.tokens.Take(now, c.demand(r)), c.requests.Take(now, one)}
}

func (c *ours) header(now time.Time, r *request, w told) {
	c.told = true
	h := r.state.(holds)
	c.tokens.Observe(now, h.tokens, w.tokens)
	c.requests.Observe(now, h.requests, w.requests)
}

func (c *ours) done(now time.Time, r *request, usage bool) {
	h := r.state.(holds)
	c.tokens.Settle(now, h.tokens, level.Usage{Total: r.tokens(), Prompt: r.Prompt}, usage)
	c.requests.Settle(now, h.requests, level.Usage{}, false)
}

func (c *ours) refused(now time.Time, r *request, w told) time.Time {
	c.told = true
	h := r.state.(holds)
	var tokens, requests time.Time // that do not speak of the other window
	if w.lacking {
		tokens = now.Add(w.retry)
	} else {
		requests = now.Add(w.retry)
	}
	c.tokens.Refuse(now, h.tokens, &w.tokens, w.lacking, tokens)
	c.requests.Refuse(now, h.requests, &w.requests, !w.lacking, requests)
	return now
}
