package fleet

import (
	"time"

	"github.com/forbear-go/forbear/throttle"
)

// A flight is a request under way.
type flight struct {
	at       time.Time
	cost     int64
	before   int64  // units sent before it
	known    int64  // units of the whole fleet that were over for sure when it was sent
	finished int64  // those of ours
	inc      string // by this ledger's numbers
	ver      int64
	alone    bool // it was not covered by what was held
	probe    bool
	beyond   bool      // more than the allotment was spent with it
	tries    int64     // the call of the trial that it is part of
	refused  bool      // and
	closed   time.Time // until when that closes the API; zero if it does not say
}

// lostUnits are those of a request that got no response, and may be counted yet.
type lostUnits struct {
	due  time.Time
	cost int64
}

// lostFor is how long that may take.
const lostFor = 2 * time.Second

// lookAgain is how long a member waits that sees windows while nothing is shared.
const lookAgain = 10 * time.Second

// Take implements client.Share.
func (m *member) Take(now time.Time, cost int) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	n := int64(cost)
	m.number++
	e := &flight{at: now, cost: n, before: m.sent, known: m.fleetF + m.finished - m.finished0, finished: m.finished, inc: m.inc, ver: m.ver}
	m.promised = 0
	m.sent += n
	if e.alone = m.sent > m.granted; e.alone {
		m.granted, m.strayed = m.sent, m.strayed || m.failing
	}
	if m.probing {
		e.probe, m.probing = true, false
	}
	if t := &m.allotment; t.term != 0 && t.spent(m.sent) > t.most() {
		e.tries, e.beyond = t.tryout.send(n), true
	}
	m.flying[m.number] = e
	m.recent.add(now, n)
	if m.low(now) {
		m.loop.Kick()
	}
	return m.number
}

// Cancel implements client.Share.
func (m *member) Cancel(number uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.land(number)
	if e == nil {
		return
	}
	m.sent -= e.cost
	if e.alone {
		m.granted -= e.cost
	}
	if e.probe {
		m.probing = true
	}
	m.allotment.tryout.cancel(e)
}

// Abandon implements client.Share.
func (m *member) Abandon(now time.Time, number uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	e := m.land(number)
	if e == nil {
		return
	}
	m.lost = append(m.lost, lostUnits{now.Add(lostFor), e.cost})
	m.probeOver(e, false)
	m.tell(m.allotment.tryout.land(e, false))
}

// land returns a request that is no longer under way, or nil if it was not.
func (m *member) land(number uint64) *flight {
	e := m.flying[number]
	delete(m.flying, number)
	return e
}

// expire counts as over what was lost long enough ago.
func (m *member) expire(now time.Time) {
	if len(m.lost) > 0 {
		m.turn(now)
	}
	for len(m.lost) > 0 && !m.lost[0].due.After(now) {
		m.finished += m.lost[0].cost
		m.over.add(now, m.finished, m.windows)
		m.lost = m.lost[1:]
	}
}

// probeOver notes that a request is no longer under way, if it was a probe.
func (m *member) probeOver(e *flight, served bool) {
	if e.probe {
		m.probed, m.shutOut, m.dirty = m.probeSeq, 1, true
		if served {
			m.shutOut = 0
		}
		m.loop.Kick()
	}
}

// Observe implements client.Share.
func (m *member) Observe(now time.Time, number uint64, windows []throttle.Announced, ok bool, hold time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	e := m.land(number)
	if e == nil {
		return
	}
	m.finished += e.cost
	m.over.add(now, m.finished, m.windows)
	trip := now.Sub(e.at)
	if m.trip == 0 || trip < m.least {
		m.least = trip
	}
	if m.trip == 0 || trip > m.trip {
		m.trip = trip
	} else {
		m.trip -= (m.trip - trip) / 8
	}
	m.probeOver(e, !e.refused && !hold.After(now))
	open := now.Before(m.openTo)
	switch {
	case !ok && !open:
		m.off, m.dirty = 2, true
	case ok && len(windows) == 0 && len(m.windows) == 0 && !open:
		m.off, m.dirty = 1, true
	case ok && len(windows) > 0 && open && now.Sub(m.lastCall) > lookAgain:
		m.dirty = true
	}
	for _, w := range windows {
		m.observe(now, number, e, w)
	}
	if e.refused {
		m.refuse(now, e)
	}
	m.tell(m.allotment.tryout.land(e, !e.refused))
	if hold.After(m.hold) && hold.After(now) {
		m.hold, m.refusal, m.dirty = hold, hold, true
		if t := &m.allotment; !t.silent() {
			t.doubt = t.term != 0
		}
	}
	m.landed()
	if m.dirty || m.hungry > 0 || len(m.flying) == 0 && m.allotment.term == 0 {
		m.loop.Kick()
	}
}
