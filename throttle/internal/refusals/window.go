package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// An inferredWindow is a window that a server was found to have: so many requests are
// admitted in such a length of time. It is followed by the log of our own
// requests, which is safe whether the window is fixed or rolls.
type inferredWindow struct {
	limit  int64 // 0 is not known
	length clock.Instant
	floor  clock.Instant  // what was sent before this is forgotten: the server told that it opened then
	rolled bool           // requests went beyond the first window
	sure   bool           // a whole window was counted
	opens  clock.Interval // when some window opened

	fixed  bool // it opened when a fixed window would have
	weighs bool // and the one before counts; see weighed.go

	proof windowProof

	// Now and then more is tried than the limit, while surely in one window: first
	// one request, and as each passes up to twice as many.
	climb    clock.Instant // not before this
	patient  clock.Instant // how many windows lie between two tries
	climbing clock.Instant // when the window began in which so many passed:
	streak   int64
	extra    int64 // of these, more than the log allowed and yet no proof
}

// After a refusal at the limit the next try is so many windows later, and after
// each further one twice as many, up to the latter.
const (
	climbFirst = 4
	climbLast  = 64
)

const (
	minute  = 60 * clock.Second
	turnsIn = 8 * clock.Second // within so long an opening is the work of the clock
)

// reach is how far back the log counts.
func (s *inferredWindow) reach(v *View) clock.Instant { return s.length + v.RTT.Slack() }

// ready returns when n more may go.
func (s *inferredWindow) ready(v *View, l *limits, now clock.Instant, n int64) clock.Instant {
	if !s.proof.given {
		return now
	}
	reserve := min(v.Amounts.ReserveOf(s.limit), s.limit-1)
	at := s.frees(v, l, s.limit-reserve-n, now)
	if at > now && reserve == 0 && !l.event.under && s.climbs(now) {
		extra, streak := s.extra, s.streak
		if s.climbing != s.window(now).Earliest {
			extra, streak = 0, 0
		}
		return min(at, s.frees(v, l, s.limit+extra+min(max(streak, 1), enough)-n, now))
	}
	return at
}

// window returns the bounds within which now surely belongs to one window, if the
// windows are fixed.
func (s *inferredWindow) window(now clock.Instant) clock.Interval {
	past := (now - s.opens.Latest) / s.length * s.length
	if now < s.opens.Latest {
		past -= s.length
	}
	return clock.Between(s.opens.Latest+past, s.opens.Earliest+past+s.length)
}

// climbs reports whether it is time to try more than the limit.
func (s *inferredWindow) climbs(now clock.Instant) bool {
	return now >= s.climb && now < s.window(now).Latest
}

// since returns from when on requests count at now.
func (s *inferredWindow) since(v *View, now clock.Instant) clock.Instant {
	since := now - s.reach(v)
	if s.floor > 0 {
		since = max(since, s.floor-1)
	}
	if s.fixed {
		since = max(since, s.window(now).Earliest-1)
	}
	return since
}

// frees returns when no more than room are left in the log.
func (s *inferredWindow) frees(v *View, l *limits, room int64, now clock.Instant) clock.Instant {
	if s.weighs {
		return s.regains(v, l, room, now)
	}
	last := l.log.FallsTo(max(room, 0))
	if last <= s.since(v, now) {
		return now
	}
	at := last + s.reach(v)
	if s.fixed {
		at = min(at, s.window(now).Earliest+s.length)
	}
	return at
}

// admitted takes in an answer: more admitted in one window than the limit raises
// it. Those that are still under way may yet be refused.
func (s *inferredWindow) admitted(v *View, t *Request, l *limits) {
	if !s.proof.given {
		return
	}
	w, pending := s.window(t.At), v.Sent-v.Answered
	if t.At < s.climb || t.At >= w.Latest {
		return
	}
	if s.climbing != w.Earliest {
		s.climbing, s.streak, s.extra = w.Earliest, 0, 0
	}
	if proven := l.log.Between(w.Earliest-1, w.Latest) - pending; proven > s.limit {
		s.streak += proven - s.limit
		s.limit = proven
	}
	s.extra = max(l.log.Between(s.since(v, t.At), w.Latest)-pending-s.limit, 0)
	s.streak = max(s.streak, s.extra)
}

// spent returns how much of a window was spent when a congestion came.
func (s *inferredWindow) spent(v *View, l *limits, e *congestion) int64 {
	return l.log.Between(max(s.since(v, e.at), l.empty-1), e.closed)
}

// logged returns how much the log held when a congestion came.
func (s *inferredWindow) logged(v *View, l *limits, e *congestion) int64 {
	return l.log.Between(s.since(v, e.at), e.closed)
}

// explains reports whether a refusal came when the limit was reached.
// It does not when the server opened again before the window did.
func (s *inferredWindow) explains(v *View, l *limits, e *congestion, opened clock.Instant) bool {
	if s.limit <= few || s.logged(v, l, e) < s.limit {
		return false
	}
	if !s.proof.given && e.tried-e.at > s.reach(v) {
		return false // it was closed for longer than that
	}
	if 4*l.log.Between(e.tried-s.reach(v), e.closed) < 3*s.limit {
		return false // it was closed for longer than a window that would have had room
	}
	freed := l.log.Between(opened-s.reach(v), e.closed) < s.limit
	return freed || opened >= s.window(e.at).Latest
}

// confirm takes in that it was.
func (s *inferredWindow) confirm(v *View, l *limits, e *congestion, opened clock.Instant) {
	s.limit = min(s.limit, s.logged(v, l, e))
	if spent := s.spent(v, l, e); spent >= s.limit/10*9 {
		s.limit = min(s.limit, spent) // all of it since it opened the last time
	}
	s.proof.confirm(e)
	s.sure, s.streak, s.extra = true, 0, 0
	s.patient = min(max(2*s.patient, climbFirst), climbLast)
	s.climb = opened + s.patient*s.length
	if !e.told || e.reset.Latest-e.at > s.length+e.reset.Width() {
		return
	}
	// The windows are fixed if they open again and again in the same step.
	s.fixed = s.floor > 0 && s.near(e.reset)
	s.opens = clock.Between(e.reset.Earliest, min(e.reset.Latest, opened))
	if s.floor > 0 {
		s.floor = e.reset.Earliest
	}
}

// near reports whether a window that is known would open at the given time.
func (s *inferredWindow) near(reset clock.Interval) bool {
	w := s.window(reset.Middle())
	open := clock.Between(w.Latest-s.length, w.Earliest)
	next := clock.Between(w.Latest, w.Earliest+s.length)
	return reset.Meets(open) || reset.Meets(next)
}

// learn takes in a congestion that nothing known explains.
func (s *inferredWindow) learn(v *View, l *limits, e *congestion, opened clock.Instant) {
	was := *s
	first := l.log.FirstAfter(l.empty - 1)
	if was.limit > 0 && e.at-first > was.length {
		first = l.log.FirstAfter(e.at - was.length)
	}
	*s = inferredWindow{patient: was.patient, length: was.length, opens: clock.Between(e.tried, opened), proof: windowProof{given: e.told || was.proof.given}}
	if e.told {
		s.told(l, e, first, opened)
	} else {
		s.tried(v, l, e, first, opened)
	}
	s.length = min(s.length, clock.Longest)
	since := max(e.at-s.reach(v), l.empty-1)
	if was.floor > 0 {
		since = max(since, was.floor-1)
	}
	s.limit = max(1, l.log.Between(since, e.closed))
	s.climb = opened
	if l.empty > clock.Never/-2 {
		s.sure, s.patient = true, climbFirst
		s.climb += s.patient * s.length
	}
}

// told infers the length from when the server said that it would open.
func (s *inferredWindow) told(l *limits, e *congestion, first, opened clock.Instant) {
	s.opens = clock.Between(e.reset.Earliest, min(e.reset.Latest, opened))
	blur := clock.Second/2 + e.reset.Width()/2
	middle := e.reset.Middle()
	if w := usualAbout(middle-first, blur); w > 0 {
		s.length = w // it began with our first request, or rolls
		return
	}
	s.floor = e.reset.Earliest
	if l.reset.Latest > 0 {
		if w := usualAbout(middle-l.reset.Middle(), blur); w > 0 {
			s.length = w
			return
		}
	}
	s.length = clock.UsualLength(middle - e.at - blur)
}

// usualAbout returns the usual length that is about d, or 0.
func usualAbout(d, blur clock.Instant) clock.Instant {
	if w := clock.UsualLength(d - blur); w <= d+blur {
		return w
	}
	return 0
}

// tried infers it from how long the server stayed closed. If it opened with a full minute
// of its clock, that is no shorter than a minute.
func (s *inferredWindow) tried(v *View, l *limits, e *congestion, first, opened clock.Instant) {
	least := e.tried - e.at
	if e.at-first <= least {
		least = e.tried - first
	}
	if turn, ok := v.Clock.Turn(e.tried, minute); ok && !l.offbeat && turn.Earliest <= opened && opened-e.tried <= turnsIn {
		least = max(least, minute)
	}
	if s.length > 0 && s.length >= least && s.length <= opened-first {
		return
	}
	s.length = clock.UsualLength(least)
}

// offbeat reports whether the server opened between two full minutes of its clock.
func offbeat(v *View, e *congestion, opened clock.Instant) bool {
	turn, ok := v.Clock.Turn(e.tried, minute)
	return ok && turn.Earliest > opened
}

// lengthens returns the length of the window if it is longer than was believed, or 0: a refusal that came below the limit came
// at the limit if all are counted that were admitted since the server opened, and it was closed until all of them
// were out of the window.
func (s *inferredWindow) lengthens(l *limits, e *congestion, opened clock.Instant) clock.Instant {
	if s.limit <= few || !s.proof.given || s.fixed || s.weighs || e.told {
		return 0
	}
	near := max(s.limit/proofPart, 1)
	if n := l.log.Between(l.empty-1, e.closed); n < s.limit-near || n > s.limit+near {
		return 0
	}
	first := l.log.FirstAfter(l.empty - 1)
	if length := min(clock.UsualLength(e.tried-first), opened-first); length > s.length {
		return length
	}
	return 0
}
