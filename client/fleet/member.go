package fleet

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/fleet/internal/loop"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A member is what one transport has of one key. It implements client.Share. Its methods
// only change it and see that it calls the store soon; that happens in a goroutine of its
// own, which lives no longer than the call.
type member struct {
	fleet *Fleet
	key   string
	id    string
	host  client.Host

	mu sync.Mutex
	// Units of cost: all that were ever held, sent, and are over. A request that goes while
	// nothing is shared adds to all three.
	granted, sent, finished int64
	refused, refused0       int64 // of those that are over, and of these when the ledger last answered
	number                  uint64
	flying                  map[uint64]*flight
	promised                int64 // by Ask, to a Take that may follow at once
	lost                    []lostUnits
	over                    overs

	clock      clock
	inc        string
	ver        int64
	seq, heard int64
	pushed     int64 // since the report heard
	early      *news // with what was pushed since the one that is under way
	fleetF     int64 // of the whole fleet, when
	finished0  int64 // so many of ours were over
	members    int64
	hungry     int64 // others that wait
	scarce     bool  // others waited when units were granted last
	left       int64
	lease      time.Time // what is held may be sent until then
	hold       time.Time
	refusal    time.Time // until when one of ours said so; others are told once
	shut       time.Time // until when refusals close an API that announces nothing
	openTo     time.Time // nothing is shared until then
	learning   bool

	windows  []*window
	off      int64 // see report
	probing  bool  // the next that goes is the probe
	probeSeq int64
	probed   int64
	shutOut  int64 // 1: that probe was not served
	trip     time.Duration
	least    time.Duration // that it ever was

	joined      bool // the fleet knows it
	loop        loop.Loop
	closed      bool
	dirty       bool  // something is to be told at once
	landing     bool  // once nothing is under way
	asked       bool  // a request could not go for want of units
	urgent      bool  // one waits whose priority is higher than
	told        int64 // that which the ledger was told
	rank, first int64 // the highest priority of those that wait, and how many have it
	recalled    bool
	failing     bool
	strayed     bool      // it sent by itself while it was
	since       time.Time // it is failing
	retry       time.Time
	pause       time.Duration
	nextAsk     time.Time
	lastCall    time.Time
	lastAsk     time.Time // not counting those calls that told something at once
	rest        float64   // so much of a pause comes after it
	used        time.Time
	recent      recent
	part        part
	allotment   allotment
	// Units sent and granted as of the last reply.
	heardSent, heardGranted int64
	unknown                 time.Time   // since then, requests wait for the store
	watch                   *time.Timer // wakes them when they have waited for long
	calls, fails            int
}

func newMember(f *Fleet, key string, h client.Host) *member {
	m := &member{fleet: f, key: key, id: rand.Text(), host: h, flying: make(map[uint64]*flight), members: 1}
	m.loop.Init(&m.mu, func(work func()) { f.calls.Go(work) }, m.step)
	m.watch = time.AfterFunc(time.Hour, h.Wake)
	m.watch.Stop()
	return m
}

// Ask implements client.Share.
func (m *member) Ask(now time.Time, demand limit.Demand) (limit.Decision, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.use(now)
	m.expire(now)
	d, shared := m.decide(now, int64(demand.Count()))
	if rank := int64(demand.Priority); shared && !d.Admits(now) && rank > m.told && m.asked { // others may be asked to wait
		m.urgent, m.told = true, rank
		m.loop.Kick()
	}
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

func (m *member) decide(now time.Time, cost int64) (limit.Decision, bool) {
	switch {
	case m.closed:
		return limit.Decision{}, false
	case now.Before(m.hold):
		return limit.Decision{At: m.hold, Limit: throttle.Refusal}, true
	case now.Before(m.openTo):
		return limit.Decision{}, false
	case !now.Before(m.lease): // it is over, or there never was one
		m.drop()
		m.allotment = allotment{kept: max(m.allotment.each, m.allotment.kept)}
		if m.failing {
			m.inc = "" // what it sends from now on has no number of the ledger
		}
		m.ask()
		if m.failing {
			return m.yield(now, cost)
		}
		return limit.Decision{Limit: Shared, Unknown: true}, true
	case m.allotment.term != 0:
		return m.decideAllotted(now, cost)
	case m.granted-m.sent >= cost:
		m.promised = cost
		at, name := m.ownBound(now, cost)
		return limit.Decision{At: at, Limit: name}, true
	case m.failing, m.learning:
		if m.learning {
			m.ask()
		}
		return m.outage(now, cost)
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
		if m.closed = !m.fleet.enter(m.key, m); m.closed {
			m.loop.Stop()
		}
	}
	if m.failing && !now.Before(m.retry) {
		m.loop.Kick()
	}
}

// ask sees that the ledger is asked for more.
func (m *member) ask() {
	if !m.asked {
		if m.asked = true; m.calls == 0 {
			m.nextAsk = time.Now().Add(gather)
		}
		m.loop.Kick()
	}
}

// gather is how long the first call waits for what comes together with the first request.
const gather = 2 * time.Millisecond

// drop gives up what is held and not sent.
func (m *member) drop() { m.granted = m.sent }

// Idle implements client.Share.
func (m *member) Idle(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.flying) == 0 && !now.Before(m.hold) && now.Sub(m.used) >= m.fleet.lease
}

// Status implements client.Share.
func (m *member) Status(now time.Time) client.SharedStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	return client.SharedStatus{
		Active: !m.closed && now.Before(m.lease) && !now.Before(m.openTo) && !m.learning,
		Away:   m.failing, Members: int(m.members), Held: int(m.held()),
	}
}

func (m *member) status() KeyStatus {
	s := m.Status(time.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	return KeyStatus{
		Key: m.key, Shared: s.Active, Away: s.Away, Members: s.Members, Held: s.Held, Calls: m.calls, Failed: m.fails,
	}
}
