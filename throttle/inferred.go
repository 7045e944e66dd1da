package throttle

// An inferredWindow is a window that a server was found to have: so many requests are
// admitted in such a length of time. It is followed by the log of our own
// requests, which is safe whether the window is fixed or rolls.
type inferredWindow struct {
	limit  int64 // 0 is not known
	length instant
	floor  instant  // what was sent before this is forgotten: the server told that it opened then
	rolled bool     // requests went beyond the first window
	sure   bool     // a whole window was counted
	opens  interval // when some window opened

	fixed bool // it opened when a fixed window would have

	// Now and then more is tried than the limit, while surely in one window: first
	// one request, and as each passes up to twice as many.
	climb    instant // not before this
	patient  instant // how many windows lie between two tries
	climbing instant // when the window began in which so many passed:
	streak   int64
	extra    int64 // of these, more than the log allowed and yet no proof
}

// After a refusal at the limit the next try is so many windows later, and after
// each further one twice as many, up to the latter.
const (
	climbFirst = 4
	climbLast  = 64
)

// reach is how far back the log counts.
func (s *inferredWindow) reach(k *Limiter) instant { return s.length + k.rtt.slack() }

// ready returns when n more may go.
func (s *inferredWindow) ready(k *Limiter, l *estimator, now instant, n int64) instant {
	reserve := min(k.policy.Reserve.of(s.limit), s.limit-1)
	at := s.frees(k, l, s.limit-reserve-n, now)
	if at > now && reserve == 0 && !l.event.under && s.climbs(now) {
		extra, streak := s.extra, s.streak
		if s.climbing != s.window(now).earliest {
			extra, streak = 0, 0
		}
		return min(at, s.frees(k, l, s.limit+extra+min(max(streak, 1), enough)-n, now))
	}
	return at
}

// window returns the bounds within which now surely belongs to one window, if the
// windows are fixed.
func (s *inferredWindow) window(now instant) interval {
	past := (now - s.opens.latest) / s.length * s.length
	if now < s.opens.latest {
		past -= s.length
	}
	return interval{s.opens.latest + past, s.opens.earliest + past + s.length}
}

// climbs reports whether it is time to try more than the limit.
func (s *inferredWindow) climbs(now instant) bool {
	return now >= s.climb && now < s.window(now).latest
}

// since returns from when on requests count at now.
func (s *inferredWindow) since(k *Limiter, now instant) instant {
	since := now - s.reach(k)
	if s.floor > 0 {
		since = max(since, s.floor-1)
	}
	if s.fixed {
		since = max(since, s.window(now).earliest-1)
	}
	return since
}

// frees returns when no more than room are left in the log.
func (s *inferredWindow) frees(k *Limiter, l *estimator, room int64, now instant) instant {
	last := l.log.fallsTo(max(room, 0))
	if last <= s.since(k, now) {
		return now
	}
	at := last + s.reach(k)
	if s.fixed {
		at = min(at, s.window(now).earliest+s.length)
	}
	return at
}

// admitted takes in an answer: more admitted in one window than the limit raises
// it. Those that are still under way may yet be refused.
func (s *inferredWindow) admitted(k *Limiter, t *Reservation, l *estimator) {
	w, pending := s.window(t.at), k.sent-k.answered
	if t.at < s.climb || t.at >= w.latest {
		return
	}
	if s.climbing != w.earliest {
		s.climbing, s.streak, s.extra = w.earliest, 0, 0
	}
	if proven := l.log.between(w.earliest-1, w.latest) - pending; proven > s.limit {
		s.streak += proven - s.limit
		s.limit = proven
	}
	s.extra = max(l.log.between(s.since(k, t.at), w.latest)-pending-s.limit, 0)
	s.streak = max(s.streak, s.extra)
}

// spent returns how much of a window was spent when a congestion came.
func (s *inferredWindow) spent(k *Limiter, l *estimator, e *congestion) int64 {
	return l.log.between(max(s.since(k, e.at), l.empty-1), e.closed)
}

// logged returns how much the log held when a congestion came.
func (s *inferredWindow) logged(k *Limiter, l *estimator, e *congestion) int64 {
	return l.log.between(s.since(k, e.at), e.closed)
}

// explains reports whether a refusal came when the limit was reached.
// It does not when the server opened again before the window did.
func (s *inferredWindow) explains(k *Limiter, l *estimator, e *congestion, opened instant) bool {
	if s.limit <= few || s.logged(k, l, e) < s.limit {
		return false
	}
	freed := l.log.between(opened-s.reach(k), e.closed) < s.logged(k, l, e)
	return freed || opened >= s.window(e.at).latest
}

// confirm takes in that it was.
func (s *inferredWindow) confirm(k *Limiter, l *estimator, e *congestion, opened instant) {
	s.limit = min(s.limit, s.logged(k, l, e))
	if spent := s.spent(k, l, e); spent >= s.limit/10*9 {
		s.limit = min(s.limit, spent) // all of it since it opened the last time
	}
	s.sure, s.streak, s.extra = true, 0, 0
	s.patient = min(max(2*s.patient, climbFirst), climbLast)
	s.climb = opened + s.patient*s.length
	if !e.told || e.reset.latest-e.at > s.length+e.reset.width() {
		return
	}
	// The windows are fixed if they open again and again in the same step.
	s.fixed = s.floor > 0 && s.near(e.reset)
	s.opens = interval{e.reset.earliest, min(e.reset.latest, opened)}
	if s.floor > 0 {
		s.floor = e.reset.earliest
	}
}

// near reports whether a window that is known would open at the given time.
func (s *inferredWindow) near(reset interval) bool {
	w := s.window((reset.earliest + reset.latest) / 2)
	open := interval{w.latest - s.length, w.earliest}
	next := interval{w.latest, w.earliest + s.length}
	return reset.meets(open) || reset.meets(next)
}

// learn takes in a congestion that nothing known explains.
func (s *inferredWindow) learn(k *Limiter, l *estimator, e *congestion, opened instant) {
	was := *s
	first := l.log.firstAfter(l.empty - 1)
	if was.limit > 0 && e.at-first > was.length {
		first = l.log.firstAfter(e.at - was.length)
	}
	*s = inferredWindow{patient: was.patient, length: was.length, opens: interval{e.tried, opened}}
	if e.told {
		s.told(l, e, first, opened)
	} else {
		s.tried(e, first, opened)
	}
	s.length = min(s.length, longest)
	since := max(e.at-s.reach(k), l.empty-1)
	if was.floor > 0 {
		since = max(since, was.floor-1)
	}
	s.limit = max(1, l.log.between(since, e.closed))
	s.climb = opened
	if l.empty > never/-2 {
		s.sure, s.patient = true, climbFirst
		s.climb += s.patient * s.length
	}
}

// told infers the length from when the server said that it would open.
func (s *inferredWindow) told(l *estimator, e *congestion, first, opened instant) {
	s.opens = interval{e.reset.earliest, min(e.reset.latest, opened)}
	blur := second/2 + e.reset.width()/2
	near := func(d instant) instant {
		if w := usualLength(d - blur); w <= d+blur {
			return w
		}
		return 0
	}
	middle := (e.reset.earliest + e.reset.latest) / 2
	if w := near(middle - first); w > 0 {
		s.length = w // it began with our first request, or rolls
		return
	}
	s.floor = e.reset.earliest
	if l.reset.latest > 0 {
		if w := near(middle - (l.reset.earliest+l.reset.latest)/2); w > 0 {
			s.length = w
			return
		}
	}
	s.length = usualLength(middle - e.at - blur)
}

// tried infers it from how long the server stayed closed.
func (s *inferredWindow) tried(e *congestion, first, opened instant) {
	least := e.tried - e.at
	if e.at-first <= least {
		least = e.tried - first
	}
	if s.length > 0 && s.length >= least && s.length <= opened-first {
		return
	}
	s.length = usualLength(least)
}
