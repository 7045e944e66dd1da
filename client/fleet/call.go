package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/queue"
)

// step calls the store if there is something to call it for, and otherwise says when there may be.
func (m *member) step() (called bool, next time.Time) {
	waiting, first, highest := m.host.Waiting()
	m.mu.Lock()
	m.rank, m.first = int64(highest), int64(first)
	now := time.Now()
	m.expire(now)
	call, next := m.plan(now, waiting)
	if m.closed || !call {
		m.mu.Unlock()
		return false, next
	}
	q := m.report(now, waiting)
	m.mu.Unlock()
	a, err := m.exchange(context.Background(), q)
	m.mu.Lock()
	away := m.failing
	if m.apply(q, a, err, now, time.Now()); err != nil {
		m.fails++
	}
	changed := m.failing != away
	m.mu.Unlock()
	if m.host.Wake(); changed && m.host.Away != nil {
		m.host.Away(!away)
	}
	return true, time.Time{}
}

// plan says whether to call now, or else when to look again; zero is not before something
// happens.
func (m *member) plan(now time.Time, waiting int) (call bool, next time.Time) {
	by := func(at time.Time) bool {
		if !at.After(now) {
			return true
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
		return false
	}
	active := waiting > 0 || now.Sub(m.used) < m.fleet.lease
	if m.failing {
		return active && by(m.retry), next
	}
	if now.Before(m.openTo) && !m.dirty {
		m.asked = false // or no one would ask when it is over
		return false, time.Time{}
	}
	if m.dirty {
		return true, next
	}
	if m.allotment.term != 0 {
		return m.planAllotted(now, active, by), next
	}
	if m.asked && by(m.asks()) {
		return true, next
	}
	if m.left == 0 && m.granted == m.sent && len(m.flying) == 0 && m.finished > m.finished0 && waiting > 0 && by(m.rests()) {
		return true, next // the next probe tells the more, the more is known to be over
	}
	spaced := later(m.lastCall.Add(20*time.Millisecond), m.rests())
	if m.urgent && by(spaced) {
		return true, next
	}
	if (waiting > 0 || m.low(now)) && m.want(now, waiting) > 0 && m.left > 0 && m.granted-m.sent < int64(waiting)+m.recent.sum()/8 && by(spaced) {
		return true, next
	}
	if m.spares(waiting, by) {
		m.recalled = true
		return true, next
	}
	if m.hungry > 0 && m.left == 0 && m.newer() && by(spaced) {
		return true, next
	}
	switch {
	case active:
		by(m.used.Add(m.fleet.lease))
		return m.lease.After(now) && by(m.renewal()), next
	case m.lease.After(now) && m.granted > m.sent:
		return true, next // it gives that back
	case m.joined && len(m.flying) == 0:
		m.joined = false
		m.fleet.leave(m.key, m)
	}
	return false, next
}

// asks returns when the ledger is asked for more. Where nothing is left before a time that is
// known or told, that is when the responses to what was sent last should be there, so that it is told
// of them too.
func (m *member) asks() time.Time {
	at := m.recent.latest.Add(min(m.trip+m.trip/4, lateMost))
	rests := m.rests()
	sooner := func(w *window) bool { return !w.sure && !w.earliest.After(at) && !rests.After(at) }
	if m.left > 0 || len(m.flying) == 0 || at.Before(m.nextAsk) || slices.ContainsFunc(m.windows, sooner) {
		at = m.nextAsk
	}
	return later(at, rests)
}

// spares reports whether it is time to give back what is held: others may wait for it.
func (m *member) spares(waiting int, by func(time.Time) bool) bool {
	idle := waiting == 0 && len(m.flying) == 0 && m.members > 1 && (m.left == 0 || m.scarce)
	return m.spare(waiting) > 0 && (m.recalled && by(m.lastCall.Add(20*time.Millisecond)) || idle && by(m.recent.latest.Add(idleFor)))
}

// idleFor is for how long a member holds what is not needed, and others may lack.
const idleFor = 100 * time.Millisecond

// renewal returns when the lease is to be renewed: early, so that what is held can be spent while the store is away;
// and late while there is nothing to spend before a time that is known, and beyond its end.
func (m *member) renewal() time.Time {
	usual, until := m.fleet.lease*4/10, m.nextAsk
	if t := &m.allotment; t.term != 0 {
		until = t.window.opened.Add(t.window.period)
	}
	if m.held() == 0 && until.After(m.lease) {
		usual = min(usual, max(m.fleet.lease/10, 2*m.fleet.timeout))
	}
	return m.lease.Add(-usual)
}

// lateMost is how long the ledger is not asked for that reason, at the most.
const lateMost = 200 * time.Millisecond

// low reports whether what is held will soon be used up, and there is more to be had.
func (m *member) low(now time.Time) bool {
	return m.left > 0 && now.Sub(m.recent.latest) < 250*time.Millisecond && m.granted-m.sent <= m.recent.sum()/8
}

// want returns for how much more to ask.
func (m *member) want(now time.Time, waiting int) int64 {
	held := m.granted - m.sent
	switch {
	case m.asked || waiting > 0:
		return max(4*int64(waiting)+m.recent.sum()-held, min(1, int64(waiting)), 0)
	case m.low(now):
		return max(m.recent.sum()-held, 0)
	}
	return 0
}

// newer reports whether responses told more than the ledger knows.
func (m *member) newer() bool {
	for _, w := range m.windows {
		if w.told && w.inc == m.inc && w.bound > w.fleet {
			return true
		}
	}
	return false
}

// spare returns how much of what is held is not needed soon: who sends much now will, when that is answered, and again.
func (m *member) spare(waiting int) int64 {
	return max(m.granted-m.sent-m.promised-int64(waiting)-2*int64(len(m.flying)), 0)
}

// report says what there is to say. What it gives back is given up before it says so.
func (m *member) report(now time.Time, waiting int) *report {
	m.seq++
	if m.allotment.term == 0 && m.spare(waiting) == 0 {
		m.recalled = false // there is nothing to give back
	}
	if now.Sub(m.used) >= m.fleet.lease || m.closed {
		m.granted = min(m.granted, m.sent+m.promised)
	} else if m.recalled {
		m.granted -= m.spare(waiting)
	}
	q := &report{
		ID: m.id, Seq: m.seq, Heard: m.heard, Inc: m.inc, Ver: m.ver, Nonce: m.id + ":" + strconv.FormatInt(m.seq, 10), Members: m.members,
		TTL: m.fleet.lease.Milliseconds(), Grace: m.fleet.grace().Milliseconds(), Trip: m.trip.Milliseconds() + 1, Least: m.least.Milliseconds(),
		Granted: m.granted, Finished: m.finished, Told: m.finished0, Probed: m.probed, Shut: m.shutOut, Off: m.off,
		Refused: m.refused, Heeded: m.refused0, Rank: m.rank, First: m.first, Windows: make(map[string]told),
	}
	switch {
	case m.urgent:
		m.told = max(m.told, m.rank) // it waits no longer, perhaps
	case m.first == 0: // none waits, or all in vain
		m.told = max(m.rank, int64(queue.Normal)) // that others wait with a lower one is not to be expected
	default:
		m.told = m.rank
	}
	m.urgent = false
	if !m.closed && !m.recalled {
		q.Want = m.want(now, waiting)
		if m.asked {
			q.Want = max(q.Want, 1)
		}
	}
	if q.Want > 0 && !m.dirty {
		m.lastAsk, m.rest = now, 0.75+rand.Float64()/2
	}
	m.reportAllotted(now, waiting, q)
	if m.strayed {
		q.Away = now.Sub(m.since).Milliseconds()
	}
	m.asked, m.recalled = false, false
	if q.Over = [][2]int64{}; m.clock.known && m.allotment.term == 0 {
		q.Over = m.over.tell(&m.clock)
	}
	if !m.clock.known {
		m.dirty = len(m.windows) > 0 // they can be told only once the clock is known
		return q
	}
	m.dirty = false
	if m.refusal.After(now) {
		_, q.Hold = m.clock.store(m.refusal, m.refusal)
		q.refusal = m.refusal
	}
	if m.shut.After(now) {
		_, q.Closed = m.clock.store(m.shut, m.shut)
	}
	for _, w := range m.windows {
		if !w.told {
			continue
		}
		w.told = false
		t := told{Limit: w.limit, Bound: w.bound, Newest: w.newest, Remaining: w.left, Ver: w.ver, Length: w.length.Milliseconds()}
		if w.inc != m.inc { // it speaks of a ledger that is gone
			t.Bound, t.Newest, t.Ver = -1<<40, -1<<40, -1
		}
		t.Earliest, t.Latest = m.clock.store(w.earliest, w.latest)
		q.Windows[w.name] = t
	}
	return q
}

var errStale = errors.New("fleet: the store took the report for an old one")

func (m *member) exchange(ctx context.Context, q *report) (a reply, err error) {
	if err := m.fleet.exchange(ctx, m.key, q, &a); err != nil {
		return a, err
	}
	if a.Stale {
		return a, errStale
	}
	return a, nil
}

// exchange calls the store. It waits no longer than the timeout, whatever the store does.
func (f *Fleet) exchange(ctx context.Context, key string, report, reply any) error {
	data, err := json.Marshal(report)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	f.calls.Go(func() {
		data, err := f.store.Exchange(ctx, key, data)
		done <- result{data, err}
	})
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	return json.Unmarshal(r.data, reply)
}

// close gives back what is held.
func (m *member) close(ctx context.Context) error {
	m.mu.Lock()
	now := time.Now()
	joined := now.Before(m.lease) // or the ledger gives it more, if it waited
	m.closed = true
	m.loop.Stop()
	m.watch.Stop()
	q := m.report(now, 0)
	m.mu.Unlock()
	m.host.Wake()
	if !joined {
		return nil
	}
	_, err := m.exchange(ctx, q)
	return err
}
