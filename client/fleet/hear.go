package fleet

// keptAmong is of how many units one is that is kept for others, of those that they had by the time that the
// window was found open: they go on, while what is left is spent.
const keptAmong = 3

// lackedAmong is of how many units of a limit no more than one is kept because of refusals.
const lackedAmong = 16

// hear takes in what responses told. It reports whether a probe is over.
func (l *ledger) hear(q *report, now int64, n *news) (probed bool) {
	probed = l.prober == q.ID && q.Probed == l.probe
	if probed || l.prober != "" && l.expires < now {
		l.prober = ""
	}
	if q.Hold > l.hold && q.Hold > now {
		l.hold = q.Hold
		n.Hold = l.hold
	}
	switch {
	case q.Off == 2:
		l.open, l.doubt = now+openFor, true
		clear(l.windows)
	case q.Off == 1 && len(l.windows) == 0 && l.open <= now:
		l.open, l.doubt = now+openFor, false
	}
	if l.open > now && l.doubt {
		return probed
	}
	l.keepNothing(now)
	for name, o := range q.Windows {
		l.hearWindow(name, o, q.Inc == l.inc, now)
		l.open = 0
	}
	if !probed {
		return false
	}
	for name, w := range l.windows {
		l.hearProbe(name, w, q, now)
	}
	return true
}

// hearProbe takes in what the response to a probe told of a window.
func (l *ledger) hearProbe(name string, w *windowState, q *report, now int64) {
	o, heard := q.Windows[name]
	early, shut := w.early, w.shut
	if w.known && w.bound > l.granted {
		l.pace(w, now)
	}
	w.early, w.shut = false, 0
	if tested := w.wait.Tests(); tested || early {
		w.wait.Hear(w.whole(), q.Shut > 0, heard && o.Remaining+l.granted-l.finished+1 >= w.limit)
		if tested && shut == 0 && w.bound <= l.granted {
			return // it has not opened
		}
	}
	switch {
	case shut == 0 && heard:
		if w.went, w.past = l.went, l.past; now <= l.next { // as much as others took since the fleet spent its parts
			w.kept = max(w.rest-o.Remaining-1, 0)
		}
	case shut == 0 || !w.known || w.bound <= l.granted: // it has not opened
	case heard && 2*o.Remaining >= w.limit:
		w.phase.opened(shut, w.expected(now), now, w.length)
		w.fixed = w.fixed || l.renewed(w, o.Remaining, now)
		w.kept = max(max(w.limit-o.Remaining-1-(l.granted-l.finished), 0)/keptAmong, l.lacked(w))
	default:
		w.phase.fail() // it rolls, or refills
	}
	switch {
	case early && (q.Shut == 0 || w.known && w.bound > l.granted):
		w.fails, w.next = max(w.fails-1, 0), now
	case early:
		w.fails = min(w.fails+1, 6)
	case w.known && w.bound > l.granted:
		if w.tries == 0 {
			w.stage = max(w.stage-1, l.soonest(w))
		}
		w.tries = 0
	case w.stage < lastStage && (w.opens() < now || shut > 0 && w.earliest <= w.due): // that was too early
		w.stage++
		w.floor = w.stage
	case w.opens() >= now:
	case !heard && w.known:
		delete(l.windows, name) // the server tells of it no longer
	default:
		w.tries = min(w.tries+1, 7)
		w.earliest, w.reset = now, now+50<<w.tries
	}
}

// expected returns by when the window should have opened that a probe found open now.
func (w *windowState) expected(now int64) int64 {
	if w.tries > 0 { // no reset says so
		return now
	}
	return min(w.due, now)
}

// lacked returns how much too little was kept lately, as refusals showed; it becomes less while there are none.
func (l *ledger) lacked(w *windowState) int64 {
	refused := l.silent.refused - w.refused
	w.refused = l.silent.refused
	w.lacked = min(max(refused, w.lacked-(w.lacked+3)/4), w.limit/lackedAmong)
	return w.lacked
}

// keepNothing ends what is kept for others once nothing is under way: what remains was told since. Where a member
// goes on that seemed dead, it does so to the end.
func (l *ledger) keepNothing(now int64) {
	for _, w := range l.windows {
		if l.granted == l.finished && now > l.next {
			w.kept = 0
		}
	}
}

func (l *ledger) hearWindow(name string, o told, same bool, now int64) {
	w := l.windows[name]
	if w == nil {
		w = &windowState{earliest: o.Earliest, reset: o.Latest, stage: lastStage, refused: l.silent.refused}
		l.windows[name] = w
	}
	w.limit, w.length = o.Limit, max(w.length, o.Length)
	w.wait.Length, w.wait.Least = w.length, max(w.wait.Least, o.Earliest-now)
	switch {
	case o.Latest < w.earliest: // of a window that is over
	case o.Earliest > w.reset:
		w.earliest, w.reset = o.Earliest, o.Latest
	default:
		w.earliest, w.reset = max(w.earliest, o.Earliest), o.Latest
	}
	if !same || o.Ver < 0 || l.term != 0 {
		return // its numbers are those of another incarnation
	}
	l.hearRest(w, o)
	switch {
	case o.Ver < l.looks:
	case !w.known || o.Bound > w.bound:
		w.bound, w.known, w.raised = o.Bound, true, l.ver
	case o.Ver >= w.raised && o.Remaining < w.bound-l.granted:
		// Less is left than the fleet explains: others spend the quota, or it was lowered.
		w.bound, w.raised = o.Newest, l.ver
		w.shared = now + openFor
	}
}

// look has one request look what is left of this instance, once nothing is under way: a member is dead, or so it
// seems; it may also be cut off from the store, and go on. What responses told is too little: who has an allotment
// does not hear what others spent.
func (l *ledger) look(q *report, now int64) {
	for name, w := range l.windows { // there is just one
		l.looks, l.next, w.rest = l.ver, w.phase.next(now), w.limit
		if o, ok := q.Windows[name]; ok {
			l.hearRest(w, o)
		}
	}
}

// hearRest takes in how much a response told was left of this instance.
func (l *ledger) hearRest(w *windowState, o told) {
	if l.looks > 0 && 2*(l.next-o.Latest) < w.phase.period {
		w.rest = min(w.rest, o.Remaining)
	}
}

// mayLook reports whether a request may look so.
func (l *ledger) mayLook(w *windowState, now int64) bool {
	return l.looks > 0 && now <= l.next && w.rest > 0 && l.granted == l.finished
}

// lookLater sees that none looks yet where all that was left may be under way.
func (l *ledger) lookLater(now int64) {
	if w := l.only(); w != nil && !w.known && l.looks > 0 && now <= l.next && w.rest <= l.granted-l.finished {
		w.known, w.bound, w.raised = true, l.granted, l.ver
	}
}

// awaitFor is how long members take to hear that the store is back.
const awaitFor = 2000

// await has the ledger wait for members that may have been away for as long as this one: what they sent by themselves
// has no number yet, and what responses told would be given once more.
func (l *ledger) await(q *report, now int64, n *news) {
	if q.Away > 0 && q.Inc == l.inc && l.term == 0 && l.learn == 0 {
		l.learn, l.need, l.since = now+awaitFor, 0, now-q.Away
		n.Roll = n.Roll || l.learning(now)
	}
}

// learning reports whether members are yet to say what they hold: those that there were, where they are known, as who
// comes is none of them.
func (l *ledger) learning(now int64) bool {
	if l.learn == 0 {
		return false
	}
	heard, all := int64(0), true
	for _, m := range l.members {
		if m.heard >= l.since {
			heard++
		} else {
			all = false
		}
	}
	if (heard < l.need || l.need == 0 && !all) && now < l.learn {
		return true
	}
	l.learn, l.need, l.since = 0, 0, 0
	return false
}
