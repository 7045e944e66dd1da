package fleet

import (
	"math/rand/v2"
	"time"
)

const (
	pauseFirst = 50 * time.Millisecond
	pauseLast  = time.Second
)

// apply takes in the reply to a report.
func (m *member) apply(q *report, a reply, err error, sent, now time.Time) {
	m.calls++
	m.lastCall = now
	if err != nil {
		if !m.failing {
			m.failing, m.since, m.pause = true, now, pauseFirst
		}
		m.retry = now.Add(m.pause + rand.N(m.pause))
		m.pause = min(2*m.pause, pauseLast)
		m.dirty = true // what it said may not have been heard
		for _, w := range m.windows {
			w.told = w.told || q.Windows[w.name] != (told{})
		}
		return
	}
	m.failing, m.strayed = false, m.strayed && q.Away == 0
	if q.Hold > 0 && !m.refusal.After(q.refusal) {
		m.refusal = time.Time{}
	}
	m.clock.observe(a.Time, sent, now)
	allotted := m.allotment.term != 0
	if m.inc != a.Inc {
		m.allotment.term = 0
		for _, w := range m.windows {
			w.fleet = -1
		}
	}
	m.part.observe(q.Finished, a.Fleet, m.inc == a.Inc)
	m.heard, m.pushed = q.Seq, 0
	m.over.forget(q.Finished)
	m.inc, m.ver, m.fleetF, m.finished0, m.refused0 = a.Inc, a.Ver, a.Fleet, q.Finished, q.Refused
	m.scarce = a.Hungry > 0
	m.members, m.hungry, m.left = max(a.Members, 1), a.Hungry, a.Left
	m.learning = a.Learn
	m.lease = sent.Add(m.fleet.lease)
	if gain := a.Granted - q.Granted; gain > 0 {
		if m.granted += gain; allotted && a.Term == 0 {
			m.granted = max(m.sent, a.Granted) // what was sent since is of the allotment
		}
		m.asked = false // or again, once it is short
		for _, w := range m.windows {
			w.bounded = false // the ledger knows what we were told, and more
		}
	}
	m.heardSent, m.heardGranted = m.sent, m.granted
	m.nextAsk = now
	if a.Probe {
		m.probing, m.probeSeq = true, q.Seq
		m.nextAsk = now.Add(max(pauseFirst, 2*m.trip)) // what it finds is told at once
	}
	m.meet(&a)
	if _, ok := a.Windows[silentName]; ok {
		m.allotment.doubt = m.allotment.doubt && q.Doubt == 0 // that was told
	}
	for _, w := range m.windows {
		if f, ok := a.Windows[w.name]; ok {
			w.fleet = f.Bound
			w.pause = time.Duration(f.Pause) * time.Millisecond
			m.hearPhase(now, w, f)
		}
	}
	if a.Hold > 0 {
		m.holdUntil(now, a.Hold)
	}
	if a.At > 0 {
		m.nextAsk = m.clock.latest(a.At)
	}
	m.adopt(now, &a)
	m.takeEarly(now)
	m.openTo = time.Time{}
	if a.Open > 0 {
		m.openTo, m.off = m.clock.latest(a.Open), 0
		m.drop()
	}
}

// meet takes in the windows of a term, also one of which no response told us yet.
func (m *member) meet(a *reply) {
	if a.Term == 0 {
		return
	}
	for name, f := range a.Windows {
		if w := m.window(name); w.limit == 0 || name == silentName {
			w.limit = f.Limit
		}
	}
}

// hearPhase takes in when a window opens.
func (m *member) hearPhase(now time.Time, w *window, f fact) {
	period := time.Duration(max(f.Period, f.Likely)) * time.Millisecond
	if w.sure = f.Period > 0; period <= 0 {
		w.period = 0
		return
	}
	opened := m.clock.latest(f.Opened).Add(ledgerMargin * time.Millisecond)
	width := opened.Sub(m.clock.earliest(f.Opens))
	if w.period == period { // it may have turned since
		opened = opened.Add((w.opened.Sub(opened) + period/2).Truncate(period))
	} else if now.After(opened) {
		opened, w.marked = opened.Add(now.Sub(opened).Truncate(period)), false
	}
	w.opened, w.period = opened, period
	w.width = min(max(width, 0), period)
}
