package throttle

import (
	"slices"
	"time"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/limit"
)

// remembered holds the limits that the server announced to an earlier run of the program,
// until it answers for the first time. It is a belief: the plan may have changed since, or
// the token. So what it says is left lets the first requests go together, but that nothing
// is left holds requests only until one of them may try.
type remembered struct {
	windows   []rememberedWindow
	seen      instant  // when the server said so
	confirmed int      // how many runs in a row tried it and were refused
	tried     int64    // the request that does so in this run; 0 is none
	over      bool     // the server answered, or one tries
	offset    interval // of the server's clock, where that was known
}

type rememberedWindow struct {
	said    AnnouncedWindow
	limit   int64 // 0 is not known
	left    int64
	reserve int64
	reset   instant
	full    bool // it has reset since
}

// The first try of requests that can wait comes so long after the server spoke, and twice
// as long with each that was refused.
const (
	rememberedFirst = 60 * second
	rememberedLast  = 10 * 60 * second
)

func (m *remembered) add(k *Limiter, w AnnouncedWindow) {
	limit := int64(w.Limit)
	m.windows = append(m.windows, rememberedWindow{
		said: w, limit: limit, left: int64(w.Remaining), reserve: min(k.policy.Reserve.of(limit), max(limit-1, 0)),
		reset: k.instant(w.Reset),
	})
}

// counts reports whether the server did not answer yet.
func (m *remembered) counts() bool { return m != nil && !m.over }

// valid reports whether the windows say at now what may be sent. Those that have reset are
// full again; once all have, or one whose limit is not known, the server is asked as if
// nothing was remembered.
func (m *remembered) valid(now instant) bool {
	if !m.counts() {
		return false
	}
	lasts := false
	for i := range m.windows {
		w := &m.windows[i]
		switch {
		case w.concurrent() || w.full:
		case w.reset > now:
			lasts = true
		case w.limit == 0 && w.said.Name != Refusal:
			return false
		default:
			w.left, w.full, w.reset = max(w.left, w.limit), true, never
		}
	}
	return lasts
}

func (w *rememberedWindow) concurrent() bool { return w.said.Unit == concurrentUnit }

// ready returns when n more may go, and the name of the window that decides.
func (m *remembered) ready(k *Limiter, now instant, n int64) (instant, string) {
	at, name := now, ""
	for i := range m.windows {
		w := &m.windows[i]
		ready := now
		switch {
		case w.full && w.limit == 0:
		case w.concurrent():
			if inflight := k.sent - k.answered; inflight > 0 && inflight+n > w.limit {
				ready = never
			}
		case w.left-w.reserve < n:
			ready = w.reset
		}
		if ready > at {
			at, name = ready, w.name()
		}
	}
	return at, name
}

// nextTry returns when a request may go that is held by nothing but what is remembered.
func (m *remembered) nextTry(k *Limiter, now instant) instant {
	if k.sent != k.answered {
		return never // one is under way, and its answer decides
	}
	return max(m.seen+m.pause(m.confirmed), now)
}

// decide returns the decision about a request that is held until the given time, and may
// try before.
func (m *remembered) decide(k *Limiter, now, try, until instant, name string) limit.Decision {
	if try <= now {
		return limit.Decision{At: k.time(now)}
	}
	d := limit.Decision{At: k.time(try), Limit: name, Try: m.tries(k, now)}
	if until != never {
		d.Until = k.time(until)
	}
	return d
}

// tries reports whether a request that cannot wait may try at now.
func (m *remembered) tries(k *Limiter, now instant) bool {
	return k.sent == k.answered && (m.confirmed == 0 || now >= m.seen+m.pause(m.confirmed-1))
}

func (m *remembered) pause(confirmed int) instant {
	return min(rememberedFirst<<min(confirmed, 10), rememberedLast)
}

// take counts n more as sent. It reports whether that is a try, which nothing that is
// remembered allows.
func (m *remembered) take(n int64) (try bool) {
	for i := range m.windows {
		w := &m.windows[i]
		if w.concurrent() || w.full && w.limit == 0 {
			continue
		}
		try = try || w.left-w.reserve < n
		w.left -= n
	}
	return try
}

// name returns the name that decisions have.
func (w *rememberedWindow) name() string {
	if w.said.Name == "" {
		return unnamed
	}
	return w.said.Name
}

// announced returns the limits that the server announced, as they stand at now. It returns
// nil if all have reset, or if they are not all known well enough to start with.
func (k *Limiter) announced(now instant) []AnnouncedWindow {
	if m := k.remembered; m.valid(now) {
		out := make([]AnnouncedWindow, len(m.windows))
		for i := range m.windows {
			out[i] = m.windows[i].said
			out[i].Remaining = int(max(m.windows[i].left, 0))
		}
		return out
	}
	var out []AnnouncedWindow
	lasts := false
	for i := range k.windows {
		w := &k.windows[i]
		if w.concurrent {
			if w.limit > 0 {
				out = append(out, AnnouncedWindow{Name: w.name, Unit: w.unit, Scope: w.scope, Limit: int(w.limit)})
			}
			continue
		}
		if w.units != nil || w.open() || w.ignored() {
			continue
		}
		if !w.credited || !w.resetKnown || w.reset.Latest <= now && w.limit <= 0 {
			return nil
		}
		s := w.status(k, now)
		left := max(s.Credit+int(w.reserve), 0)
		if s.Remaining >= 0 {
			left = min(left, s.Remaining)
		}
		lasts = lasts || w.reset.Latest > now
		out = append(out, AnnouncedWindow{
			Name: w.name, Unit: w.unit, Scope: w.scope, Limit: int(max(w.limit, 0)), Remaining: left,
			Length: s.Length, Reset: s.Latest,
		})
	}
	if until := k.cooldown.until; until > now {
		out = append(out, AnnouncedWindow{Name: Refusal, Reset: k.time(until)})
		lasts = true
	}
	if !lasts || len(out) > rememberedMost {
		return nil
	}
	return out
}

// rememberedMost is how many windows are remembered.
const rememberedMost = 64

// remember starts with what an earlier run was told. Windows that are impossible, or have
// reset, are left out.
func (k *Limiter) remember(now time.Time, was *Lesson) {
	i := k.instant(now)
	m := &remembered{confirmed: min(max(was.Confirmed, 0), 10), seen: -never / 2}
	if !was.Seen.IsZero() {
		m.seen = min(k.instant(was.Seen), i)
	}
	for _, w := range was.Windows[:min(len(was.Windows), rememberedMost)] {
		if w.check(now) == nil {
			m.add(k, w)
		}
	}
	if was.ClockMax > was.ClockMin {
		m.offset = clock.Between(instant(was.ClockMin), instant(was.ClockMax))
	}
	if m.valid(i) || k.refusals.Known() {
		k.remembered = m
	}
}

// retained returns how often what is remembered was confirmed, if there still is something
// that holds requests.
func (k *Limiter) retained(now instant, windows []AnnouncedWindow) int {
	holds := slices.ContainsFunc(windows, func(w AnnouncedWindow) bool { return w.Remaining == 0 && w.Unit != concurrentUnit })
	if v := k.view(); k.remembered == nil || !holds && k.refusals.LimitsReady(&v, now, 1) <= now {
		return 0
	}
	return k.remembered.confirmed
}

// test notes that n are sent, before they are counted anywhere else: if nothing that is
// remembered or was learned in an earlier run allows them, they try whether it is true.
func (k *Limiter) test(now instant, n int64) {
	m := k.remembered
	if !m.counts() {
		return
	}
	try := m.valid(now) && m.take(n)
	if v := k.view(); try || k.refusals.LimitsReady(&v, now, n) > now {
		m.tried, m.over = k.sent, true
		m.confirmed++
	}
}

// answered takes in that the server answered t. What is remembered counts no longer; and
// if t tried it and was served, what refusals taught was wrong.
func (m *remembered) answered(k *Limiter, t *Reservation, refused bool) {
	m.over = true
	if refused {
		return
	}
	if m.tried != 0 && t.number >= m.tried {
		k.refusals.ForgetLimits()
	}
	m.tried, m.confirmed = 0, 0
}

// refine narrows the bounds of a clock by those of an earlier run, if they agree.
func (m *remembered) refine(c *clock.Server) {
	if m == nil || m.offset.Width() == 0 {
		return
	}
	if m.offset.Meets(c.Offset) {
		c.Offset = c.Offset.Intersect(m.offset)
	}
	m.offset = interval{}
}

// status adds what is remembered to s.
func (m *remembered) status(k *Limiter, now instant, s *Status) {
	for i := range m.windows {
		w := &m.windows[i]
		if w.said.Name == Refusal && w.limit == 0 {
			if !w.full {
				s.Hold = k.time(w.reset)
			}
			continue
		}
		to := WindowStatus{
			Name: w.said.Name, Unit: w.said.Unit, Scope: w.said.Scope, Limit: int(w.limit), Remaining: int(max(w.left, 0)),
			Credit: int(max(w.left-w.reserve, 0)), Length: w.said.Length, Share: 1, Ready: k.time(now),
		}
		if w.limit == 0 {
			to.Limit = -1
		}
		if !w.concurrent() && !w.full {
			to.Latest = k.time(w.reset)
		}
		if !w.concurrent() && w.left-w.reserve < 1 {
			to.Ready = k.time(w.reset)
		}
		s.Windows = append(s.Windows, to)
	}
}
