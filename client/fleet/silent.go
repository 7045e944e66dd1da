package fleet

// A silent follows an API that announces nothing, by what members tell of its refusals: how much
// was served between two that closed it, and how long after the first it was open again after the
// second. With that the ledger begins a term, as with a window that is announced. It is a belief:
// a refusal within the term, other than of a trial, ends it.
type silent struct {
	refused        int64 // units of those that are over
	closed, before int64 // until when the API is closed, or was last; and the time before that
	since          int64 // when it closed
	served, total  int64 // units served by then, and by the time before
	had, gap       int64 // what was served between the two closings before, and the time between them
	span           int64 // the longest that a refusal closed it for
	heard, members int64 // members heard since then, and how many were after the time before
	closings       int64
	period         int64 // of the last term

	fails int64 // terms that ended soon, in turn
	after int64 // none begins before
	late  int64 // by how much it opens later than refusals say

	trial trial
}

const (
	silentName  = "learned"
	silentBlur  = 1500 // by how much the time between two openings may be wrong: waits are whole seconds
	silentLeast = 5000 // the shortest period
	silentTurns = 1 << 20
	silentFails = 6
	silentSoon  = 16 // windows
)

// hearRefusals takes in what refusals told that name no limit.
func (l *ledger) hearRefusals(q *report, now int64, n *news) {
	s := &l.silent
	if l.term != 0 {
		l.hearTrial(q, now)
	}
	if q.Closed > now {
		s.span = max(s.span, q.Closed-now)
		if s.closed <= now {
			s.had, s.gap = s.served-s.total, s.closed-s.before
			s.before, s.total, s.closings, s.since, s.members = s.closed, s.served, s.closings+1, now, s.heard
			n.Land = l.term == 0 && len(l.windows) == 0
		}
		s.closed = max(s.closed, q.Closed)
	}
	if l.term != 0 {
		s.closings = min(s.closings, 1) // what was served before it is not known
	}
	if s.closed <= now {
		return
	}
	s.served, s.heard = l.finished-s.refused, 0
	for _, m := range l.members {
		if m.heard >= s.since {
			s.heard++
		}
	}
}

// silentWindow returns how much the API admits in which period; 0 is not known.
func (l *ledger) silentWindow(now int64) (limit, period int64) {
	s := &l.silent
	if l.term != 0 || len(l.windows) > 0 || l.learn > 0 || s.closings < 2 || s.closed <= now || now < s.after {
		return 0, 0
	}
	if s.heard < max(int64(len(l.members)), s.members) || l.granted > l.finished {
		return 0, 0 // what was served is yet to be told
	}
	gap, served := s.closed-s.before, s.served-s.total
	agree := s.closings > 2 && 16*max(served-s.had, s.had-served) <= served && max(gap-s.gap, s.gap-gap) <= 2*silentBlur
	if 2*s.span <= gap+silentBlur || l.hold <= now && !agree {
		return 0, 0 // it may have opened between them; or refusals may be of another sort
	}
	for _, p := range periods {
		if p >= silentLeast && max(gap-p, p-gap) <= silentBlur {
			period = p
		}
	}
	if period == 0 || served < fewest*int64(len(l.members)) {
		return 0, 0
	}
	return served, period
}

// beginSilent begins a term once refusals taught what the API admits. The window opens when
// they say.
func (l *ledger) beginSilent(now int64, n *news) {
	limit, period := l.silentWindow(now)
	if limit == 0 {
		return
	}
	s := &l.silent
	opens := s.closed + s.late
	l.windows[silentName] = &windowState{
		limit: limit, bound: l.granted, known: true, fixed: true, silent: true, length: period,
		earliest: opens, reset: opens, stage: lastStage, refused: s.refused,
		phase: phase{period: period, lo: opens - period - min(1000, period/4), hi: opens - period, due: now, at: now, turns: silentTurns},
	}
	l.term, l.began, l.open, l.log = l.ver, now, 0, nil
	l.most, l.until = limit, now
	s.period, s.trial = period, trial{step: 1, patience: trialFirst, due: opens + period + period/2}
	for _, m := range l.members {
		m.each, m.base, m.lapses, m.spent = limit/int64(len(l.members)), m.finished, 0, 0
	}
	if n.Roll = true; opens > l.hold { // none tests the wait
		l.hold, n.Hold = opens, opens
	}
}

// endSilent ends the term of a window that refusals taught: nothing is shared again. It reports false if
// the window is none of these.
func (l *ledger) endSilent(now int64, n *news) bool {
	w := l.windows[silentName]
	if w == nil {
		return false
	}
	s := &l.silent
	if now-(w.phase.next(now)-w.phase.period) < 2500 {
		s.late = 1000 // the server rounds down
	}
	clear(l.windows)
	l.open, l.doubt = now+openFor, false
	if s.fails++; now-l.began > silentSoon*s.period {
		s.fails = 1
	}
	if s.fails = min(s.fails, silentFails); s.fails > 1 {
		s.after = now + 30000<<s.fails
	}
	s.trial.excused = 0
	n.Roll = true
	return true
}
