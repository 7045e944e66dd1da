package fleet

// A moment is how many units were over by then, of the whole fleet. What was over by then
// has been counted by the server, and leaves any window within its length.
type moment struct{ from, at, finished int64 }

const (
	logSize  = 64
	logSteps = 32 // of the shortest window
	logTries = 16 // probes that go by the log within the length of a window, at most
)

// note notes how many units are over. Moments close together merge into the later one, so that the
// log errs only towards waiting.
func (l *ledger) note(now int64) {
	n := len(l.log)
	if n > 0 && l.log[n-1].finished == l.finished {
		return
	}
	grain := int64(1 << 40)
	for _, w := range l.windows {
		if w.length > 0 {
			grain = min(grain, w.length/logSteps)
		}
	}
	if n > 0 && now-l.log[n-1].from < grain {
		l.log[n-1].at, l.log[n-1].finished = now, l.finished
		return
	}
	if n >= logSize {
		l.log = l.log[1:]
	}
	l.log = append(l.log, moment{now, now, l.finished})
}

// opens returns when a probe may find that a window admits more: after the reset, or when
// fewer than the limit are left of what was sent within the length of the window. That is
// so whatever the server counts in, as long as the fleet is alone.
func (l *ledger) opens(w *windowState) int64 {
	at := w.opens()
	if w.length <= 0 || w.shared > l.at {
		return at
	}
	for _, o := range l.log {
		if o.finished+w.limit > l.granted {
			return min(at, max(o.at+w.length+ledgerMargin, w.next))
		}
	}
	return at
}

// sendProbe notes which windows the probe that goes now tries, and which before their reset.
func (l *ledger) sendProbe(now int64) {
	l.went, l.past = now, l.finished
	for _, w := range l.windows {
		if w.early = w.known && w.bound <= l.granted && now <= w.opens(); w.early {
			w.next = now + max(w.length/logTries, 20)<<w.fails
		}
		w.shut = 0
		if w.known && w.bound <= l.granted {
			w.shut = w.earliest
		}
	}
}

// renewed reports whether what a probe found proves that the window is fixed: all of it is there
// again, although most of it was sent so lately that less would be there of one that rolls, or
// refills, or begins with the first request.
func (l *ledger) renewed(w *windowState, remaining, now int64) bool {
	used := 2*(l.past-w.past) >= w.limit
	full := remaining+l.granted-l.finished+1 >= w.limit && 4*(remaining+1) >= 3*w.limit
	proved := used && full && w.length > 0 && now <= w.went+w.length
	w.went, w.past = l.went, l.past
	return proved
}
