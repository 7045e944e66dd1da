package redisfleet

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A silentFake is a member that calls an API which announces nothing.
type silentFake struct {
	fake

	refused, heeded int64
	opened, spent   int64 // of the instance of the window that began then
	try             int64 // this much more may be tried
	tried           int64 // the call that said so
	served, failed  int64 // of that
	doubt           int64
}

// A silentAPI admits so many requests in ten seconds, and tells of it only when it refuses.
type silentAPI struct{ limit, begun, count int64 }

const silentPeriod = 10_000

// serve reports whether a request is served, and if not, until when none is.
func (a *silentAPI) serve(now int64) (ok bool, closed int64) {
	if begun := now / silentPeriod * silentPeriod; begun != a.begun {
		a.begun, a.count = begun, 0
	}
	if a.count++; a.count <= a.limit {
		return true, 0
	}
	return false, a.begun + silentPeriod + 300
}

// send has a member send so many requests, as far as it may, and returns until when it is refused.
func (m *silentFake) send(a *silentAPI, now, n int64) (closed int64) {
	if now/silentPeriod != m.opened {
		m.opened, m.spent = now/silentPeriod, 0
	}
	for range n {
		trial := false
		if m.term != 0 && m.spent >= m.each {
			if trial = m.try > 0; !trial {
				break
			}
			m.try--
		}
		ok, until := a.serve(now)
		if m.g, m.f, m.spent = m.g+1, m.f+1, m.spent+1; !ok {
			m.refused, closed = m.refused+1, until
		}
		switch {
		case trial && ok:
			m.served++
		case trial:
			m.failed, m.try = 1, 0
		case !ok && m.term != 0:
			m.doubt = 1
		}
		if !ok {
			break
		}
	}
	return closed
}

// The script and the ledger agree on what refusals teach of an API that announces nothing, and on
// the trials of whether it admits more.
func TestScriptLearnsASilentLimit(t *testing.T) {
	real := realServer(t)
	for seed := range seeds(2) {
		draw, p := rand.New(rand.NewPCG(seed, 7)), newPair(t, real, false)
		now, api := int64(1_900_000_000_000), &silentAPI{limit: 60}
		members := []*silentFake{{fake: fake{id: "a"}}, {fake: fake{id: "b"}}, {fake: fake{id: "c"}}}
		terms, trials, raised, ended, closed := 0, 0, 0, 0, int64(0)
		for i := range 2500 {
			now += draw.Int64N(120)
			if i == 1000 {
				api.limit = []int64{40, 90}[seed]
			}
			m, q := members[draw.IntN(len(members))], int64(0)
			if now > closed || m.try > 0 {
				if q = m.send(api, now, draw.Int64N(8)); q > 0 {
					closed = q
				}
			}
			m.seq++
			over := int64(0)
			if m.tried > 0 && m.try == 0 {
				over = m.tried
			}
			a := p.exchange(t, time.UnixMilli(now), map[string]any{
				"id": m.id, "seq": m.seq, "ack": m.seq - 1, "inc": m.inc, "ver": m.ver, "nonce": "n", "k": 1, "ttl": 600000, "grace": 1000,
				"trip": 30, "ps": 0, "lt": 20, "ov": [][2]int64{}, "want": draw.Int64N(2) * 60, "pr": draw.Int64N(3) - 1, "fi": draw.Int64N(30), "g": m.g, "f": m.f, "fa": m.told, "pd": m.seq - 1, "off": 1, "hold": q, "ws": map[string]any{},
				"tm": m.term, "e": m.each, "sp": m.spent, "bye": 0, "db": m.doubt, "rf": m.refused, "rt": m.heeded, "cl": q,
				"tc": over, "ts": m.served, "tf": m.failed,
			})
			number := func(name string) int64 { return int64(a[name].(float64)) }
			m.told, m.heeded, m.inc, m.ver, m.g, m.doubt = m.f, m.refused, a["inc"].(string), number("ver"), m.f, 0
			had := m.term
			m.term, m.each = number("tm"), number("e")
			switch {
			case m.term != had && m.term != 0:
				terms++
				m.spent = 0
			case m.term != had:
				ended++
			}
			if w, ok := a["ws"].(map[string]any)["learned"].(map[string]any); ok && w["l"].(float64) > 60 {
				raised++
			}
			if n := number("try"); n > 0 {
				trials++
				m.try, m.tried, m.served, m.failed = n, m.seq, 0, 0
			}
		}
		t.Logf("seed %d: %d terms, of which %d ended, %d trials; %d replies told of a higher limit", seed, terms, ended, trials, raised)
		if terms == 0 || trials == 0 || seed == 0 && ended == 0 || seed == 1 && raised == 0 {
			t.Error("that leaves something out")
		}
	}
}
