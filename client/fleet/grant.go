package fleet

// left returns how many more may be granted; it is 0 where that is not known.
func (l *ledger) left() int64 {
	if len(l.windows) == 0 {
		return 0
	}
	left := int64(1) << 40
	for _, w := range l.windows {
		if !w.known {
			return 0
		}
		left = min(left, w.bound-w.kept-l.spare(w)-l.granted)
	}
	return max(left, 0)
}

// hungryFor is how long a member that got nothing is believed to wait.
const hungryFor = 2000

// answer gives the member what it may spend.
func (l *ledger) answer(q *report, m *memberState, now int64, learning, probed bool, n *news) (r reply) {
	if l.term != 0 {
		return l.allot(q, m, now, n)
	}
	if r = l.grant(q, m, now, learning, probed, n); !learning && l.hold <= now && l.open <= now {
		if l.begin(now); l.term != 0 {
			l.tell(m, &r)
		}
	}
	return r
}

// grant gives the member its part of what is left, or a probe.
func (l *ledger) grant(q *report, m *memberState, now int64, learning, probed bool, n *news) (r reply) {
	hungry, before, soonest := int64(1), int64(0), int64(1)<<60
	for id, o := range l.members {
		if id == q.ID || o.want <= 0 || o.hungry+hungryFor < now {
			continue
		}
		hungry++
		if o.denied && (o.served < m.served || o.served == m.served && id < q.ID) {
			before++
			soonest = min(soonest, o.hungry)
		}
	}
	r.Hungry = hungry - 1
	left := l.left()
	if q.Want > 0 && !learning && l.hold <= now && l.open <= now {
		if left > 0 {
			if all := int64(len(l.members)); hungry == 1 && all > 1 && left >= 2*all {
				hungry = 2 // leave some to those who come
			}
			hungry = max(hungry, l.asking(now))
			l.share(m, l.after(q, m, left, now), hungry, before)
			l.pushAll(q, now, probed && left >= hungry, n)
		} else if l.mayProbe(now) && !l.yields(now, before, soonest) {
			l.sendProbe(now)
			m.granted, m.want = m.granted+1, 0
			l.turn(m)
			l.granted++
			l.prober, l.probe, l.expires = q.ID, q.Seq, now+max(1000, 4*q.Trip)
			r.Probe = true
		}
	}
	if !learning {
		r.Left = l.left()
	}
	m.denied = q.Want > 0 && q.Granted == m.granted
	if m.denied || m.want > 0 && r.Left == 0 {
		r.At = l.again(q, now, before, soonest, learning)
		m.hungry = max(now, r.At)
		if m.denied && r.Left == 0 && l.granted-l.finished > m.granted-m.finished && now >= l.recalled {
			n.Recall, l.recalled = true, now+200
		}
	}
	return r
}

// asking returns how many ask again and again for what refills bit by bit: whoever asks first is not to have most.
func (l *ledger) asking(now int64) (n int64) {
	pause := int64(0)
	for _, w := range l.windows {
		pause = max(pause, w.pause)
	}
	for _, m := range l.members {
		if pause > 0 && m.asked+2*pause >= now {
			n++
		}
	}
	return n
}

// share grants a part to the member: an equal one with all that wait, the longest waiting
// first where there is not one for each, but no less than its first requests need.
func (l *ledger) share(m *memberState, left, hungry, before int64) {
	if part := max(l.part(m.want, left, hungry, before), l.preferred(m, left)); part > 0 {
		l.give(m, part)
	}
}

// part returns the part of what is left of one that wants so much, of so many that wait.
func (l *ledger) part(want, left, hungry, before int64) int64 {
	part := (left + hungry/2) / hungry
	if left < hungry {
		part = 0 // they take turns
	}
	for _, w := range l.windows {
		if w.shared > l.at {
			part = (part + 1) / 2 // what strangers take must not have been given away
			break
		}
	}
	if part == 0 && before < left {
		part = 1
	}
	return min(part, want)
}

// give grants a part to a member.
func (l *ledger) give(m *memberState, part int64) {
	m.granted, m.want, m.hungry = m.granted+part, m.want-part, 0
	l.granted += part
	l.turn(m)
	l.pass(m, part)
}

// turn notes that the member had its turn: it is the last to have another.
func (l *ledger) turn(m *memberState) {
	l.turns++
	m.served = l.turns
}

// mayProbe reports whether one may go to see what is left: where nothing is known yet, and
// where the reset has passed.
func (l *ledger) mayProbe(now int64) bool {
	if l.prober != "" {
		return false
	}
	for _, w := range l.windows {
		if w.known && w.bound-l.spare(w) <= l.granted && now <= l.opens(w) && !l.mayLook(w, now) {
			return false
		}
	}
	return true
}

// oneByOne returns how long one request after the other takes, of a window of one that opens again within a moment;
// 0 is any other. Members ask in turn then, or the one that asked last would have the next, too.
func (l *ledger) oneByOne() int64 {
	w := l.only()
	if w == nil || w.limit != 1 || w.length <= 0 || w.whole() >= oneFast {
		return 0
	}
	return max(w.whole(), l.lead()) + oneOver
}

// yields reports whether one of those that had their turn earlier is about to ask for the next such request.
func (l *ledger) yields(now, before, soonest int64) bool {
	return l.oneByOne() > 0 && before > 0 && now-oneOver <= soonest && soonest <= now+oneSoon
}

const (
	oneFast = 100
	oneOver = 10 // for the calls, and what the API takes more
	oneSoon = 20 // that is so soon
)

// again returns when the member had better ask again, should it hear nothing. Of those who go before it, the first
// asks again at a time that was told when less was known.
func (l *ledger) again(q *report, now, before, soonest int64, learning bool) int64 {
	later, opening := false, int64(0)
	if learning {
		return now + 200
	}
	for _, w := range l.windows {
		if w.known && w.bound-l.spare(w) <= l.granted {
			opens := l.opens(w) + 1
			if l.prober != "" && w.wait.Long() > 0 { // the log does not tell when that one leaves it
				opens = min(opens, l.went+l.lead()+w.whole())
			}
			opening, later = max(opening, opens), true
		}
	}
	if one := l.oneByOne(); one > 0 {
		next := max(opening, now+1)
		if l.prober != "" {
			next = max(l.went+one, now+oneOver)
		}
		return max(next+one*before, l.hold+1)
	}
	at := now + 50
	if l.prober != "" {
		at = now + max(100, 2*q.Trip)
	} else if opening > now {
		at = opening
	}
	at = max(at, opening)
	at = max(at, l.hold+1)
	if late := max(50, 2*q.Trip); later && soonest <= at+10 {
		at += late + 10*before // that one looks, and the others hear of it
	}
	return at
}
