package fleet

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A member is what one transport has of one key. It implements client.Share. Its methods
// only change it and see that it calls the store soon; that happens in a goroutine of its
// own, which lives no longer than the call.
type member struct {
	fleet   *Fleet
	key     string
	id      string
	wake    func()
	waiting func() int

	mu sync.Mutex
	// Units of cost: all that were ever held, sent, and are over. A request that goes while
	// nothing is shared adds to all three.
	granted, sent, finished int64
	number                  uint64
	flying                  map[uint64]*flight
	promised                int64 // by Ask, to a Take that may follow at once
	lost                    []lostUnits

	clock      clock
	inc        string
	ver        int64
	seq, heard int64
	pushed     int64 // since the report heard
	fleetF     int64 // of the whole fleet, when
	finished0  int64 // so many of ours were over
	members    int64
	hungry     int64 // others that wait
	left       int64
	lease      time.Time // what is held may be sent until then
	hold       time.Time
	refusal    time.Time // until when one of ours said so; others are told once
	openTo     time.Time // nothing is shared until then
	learning   bool

	windows  []*window
	off      int64 // see report
	probing  bool  // the next that goes is the probe
	probeSeq int64
	probed   int64
	trip     time.Duration

	joined       bool // the fleet knows it
	busy, kicked bool
	closed       bool
	dirty        bool // something is to be told at once
	asked        bool // a request could not go for want of units
	recalled     bool
	failing      bool
	since        time.Time // it is failing
	retry        time.Time
	pause        time.Duration
	nextAsk      time.Time
	lastCall     time.Time
	used         time.Time
	recent       recent
	part         part
	allotment    allotment
	// Units sent and granted as of the last reply.
	heardSent, heardGranted int64
	timer                   *time.Timer
	unknown                 time.Time   // since then, requests wait for the store
	watch                   *time.Timer // wakes them when they have waited for long
	calls, fails            int
}

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
}

// lostUnits are those of a request that got no response, and may be counted yet.
type lostUnits struct {
	due  time.Time
	cost int64
}

// lookAgain is how long a member waits that sees windows while nothing is shared.
const lookAgain = 10 * time.Second

// lostFor is how long that may take.
const lostFor = 2 * time.Second

func newMember(f *Fleet, key string, wake func(), waiting func() int) *member {
	m := &member{fleet: f, key: key, id: rand.Text(), wake: wake, waiting: waiting, flying: make(map[uint64]*flight), members: 1}
	m.timer = time.AfterFunc(time.Hour, m.kick)
	m.timer.Stop()
	m.watch = time.AfterFunc(time.Hour, wake)
	m.watch.Stop()
	return m
}

// Ask implements client.Share.
func (m *member) Ask(now time.Time, cost int) (limit.Decision, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.use(now)
	m.expire(now)
	d, shared := m.decide(now, cost)
	switch {
	case !shared || !d.Unknown:
		m.unknown = time.Time{}
	case m.unknown.IsZero():
		m.unknown = now
		m.watch.Reset(overdue)
	case now.Sub(m.unknown) >= m.patience():
		return limit.Decision{}, false
	case now.Sub(m.unknown) >= overdue:
		d.Try = true
		m.watch.Reset(m.unknown.Add(m.patience()).Sub(now))
	}
	return d, shared
}

// overdue is how long a reply of the store takes that is slow.
const overdue = 50 * time.Millisecond

// patience is how long requests wait for a reply of the store, or for the word of another
// member. Whatever the reason is that there is none: then they go on as without a fleet.
func (m *member) patience() time.Duration { return max(time.Second, 2*m.fleet.timeout) }

func (m *member) decide(now time.Time, cost int) (limit.Decision, bool) {
	switch {
	case m.closed:
		return limit.Decision{}, false
	case now.Before(m.hold):
		return limit.Decision{At: m.hold, Limit: throttle.Refusal}, true
	case now.Before(m.openTo):
		return limit.Decision{}, false
	case !now.Before(m.lease): // it is over, or there never was one
		m.drop()
		m.allotment = allotment{}
		m.ask()
		return limit.Decision{Limit: Shared, Unknown: true}, !m.failing
	case m.allotment.term != 0:
		return m.decideAllotted(now, int64(cost))
	case m.granted-m.sent >= int64(cost):
		m.promised = int64(cost)
		at, name := m.ownBound(now, int64(cost))
		return limit.Decision{At: at, Limit: name}, true
	case m.failing, m.learning:
		if m.learning {
			m.ask()
		}
		return m.outage(now, int64(cost))
	}
	m.ask()
	if at := m.asks(); at.After(now) {
		return limit.Decision{At: at, Limit: Shared}, true
	}
	return limit.Decision{Limit: Shared, Unknown: true}, true
}

// use notes that the key is in use.
func (m *member) use(now time.Time) {
	m.used = now
	m.turn(now)
	if !m.joined && !m.closed {
		m.joined = true
		m.fleet.enter(m)
	}
	if m.failing && !now.Before(m.retry) {
		m.kickLocked()
	}
}

// ask sees that the ledger is asked for more.
func (m *member) ask() {
	if !m.asked {
		m.asked = true
		m.kickLocked()
	}
}

// drop gives up what is held and not sent.
func (m *member) drop() { m.granted = m.sent }

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
		m.granted = m.sent
	}
	if m.probing {
		e.probe, m.probing = true, false
	}
	m.flying[m.number] = e
	m.recent.add(now, n)
	if m.low(now) {
		m.kickLocked()
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
	m.over(e)
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
		m.lost = m.lost[1:]
	}
}

// over notes that a request is no longer under way.
func (m *member) over(e *flight) {
	if e.probe {
		m.probed, m.dirty = m.probeSeq, true
		m.kickLocked()
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
	if trip := now.Sub(e.at); m.trip == 0 || trip > m.trip {
		m.trip = trip
	} else {
		m.trip -= (m.trip - trip) / 8
	}
	m.over(e)
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
	if hold.After(m.hold) && hold.After(now) {
		m.hold, m.refusal, m.dirty = hold, hold, true
		m.allotment.doubt = m.allotment.term != 0
	}
	if m.dirty || m.hungry > 0 || len(m.flying) == 0 && m.allotment.term == 0 {
		m.kickLocked()
	}
}
