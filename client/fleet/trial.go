package fleet

// A trial finds out whether an API that announces nothing admits more than the ledger believes:
// once all parts are spent, one member sends a little more. Only one does, for all, and after
// each that is served, twice as much.
type trial struct {
	due      int64 // the next one is
	step     int64 // and tries so much more
	patience int64 // after one that failed, so many windows pass; then twice as many

	who     string // tries it; "": no one
	call    int64  // its report, whose reply told it to
	units   int64  // so many,
	unspent int64  // of which these may be of the parts of others
	expires int64

	excused int64 // until then others may be refused for that reason
}

const (
	trialFirst = 2
	trialLast  = 8
)

// try returns how much more than its part the member may try now, or when to ask for that.
func (l *ledger) try(q *report, now int64) (units, at int64) {
	t, w := &l.silent.trial, l.only()
	period := w.phase.period
	next := w.phase.next(now)
	opened, look := next-period, period/16
	if t.who != "" && now >= t.expires {
		t.who, t.due = "", next+period/2
	}
	if at = max(t.due, opened+period/2); t.who != "" {
		at = max(at, now+look)
	}
	if at > now {
		return 0, at
	}
	if now > next-period/8 { // it could take too long
		return 0, next + period/2
	}
	unspent := int64(0)
	for id, o := range l.members {
		switch {
		case o.heard < opened+look && o.want > 0:
			return 0, now + look // it will say what it spent
		case o.heard < opened+look:
			unspent += o.each
		case id != q.ID:
			unspent += max(o.each-o.spent, 0)
		}
	}
	if unspent > w.limit/16 {
		return 0, now + look
	}
	if t.units, t.unspent = unspent+t.step, unspent; unspent > 0 {
		t.excused = next + ledgerMargin
	}
	t.who, t.call, t.expires = q.ID, q.Seq, next
	return t.units, 0
}

// hearTrial takes in what became of a trial. What it gained is allotted from the next opening on.
func (l *ledger) hearTrial(q *report, now int64) {
	t, w := &l.silent.trial, l.windows[silentName]
	if w == nil || t.who != q.ID || t.call != q.Tried || q.Term != l.term {
		return
	}
	next, period := w.phase.next(now), w.phase.period
	if gain := q.Served - t.unspent; gain > 0 {
		if now > l.until {
			l.most = w.limit
		}
		w.limit, l.until = w.limit+gain, next+ledgerMargin
	}
	t.who = ""
	switch {
	case q.Failed > 0:
		t.patience, t.step = min(2*t.patience, trialLast), 1
		t.due = next + t.patience*period - period/2
		l.confirmPhase(w, q.Closed, now)
	case q.Served >= t.units:
		t.step, t.due = min(2*t.step, w.limit/4+1), now
	default:
		t.due = next + period/2
	}
}

// confirmPhase takes in until when a refusal closes a window: it opens then, by a clock that may
// run apart from the store's.
func (l *ledger) confirmPhase(w *windowState, closed, now int64) {
	p := &w.phase
	late := closed + l.silent.late - p.next(now)
	if closed <= now || max(late, -late) > silentBlur {
		return
	}
	if late > 0 {
		p.lo, p.hi = p.lo+late, p.hi+late
	}
	p.at, l.began = now, now
}
