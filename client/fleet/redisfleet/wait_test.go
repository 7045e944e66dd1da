package redisfleet

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The script and the ledger agree when probes go into a window that is shorter than its resets tell, and what is kept
// for them.
func TestScriptFindsTheWait(t *testing.T) {
	real, early := realServer(t), 0
	for seed := range seeds(4) {
		draw, p := rand.New(rand.NewPCG(seed, 13)), newPair(t, real, seed == 0)
		limit, period := []int64{1, 5, 12, 20}[seed%4], 100+draw.Int64N(900)
		now := int64(1_900_000_000_000)
		members := []*fake{{id: "a"}, {id: "b"}, {id: "c"}}
		var begun, counted, last int64
		for range 1000 {
			now += draw.Int64N(40)
			m, refused, windows := members[draw.IntN(len(members))], int64(0), map[string]any{}
			if cost := m.g - m.f; cost > 0 {
				if now/period != begun {
					begun, counted = now/period, 0
				}
				served := min(limit-counted, cost)
				counted += served
				if refused = cost - served; m.probe > 0 {
					m.pd, m.probe = m.probe, 0
				}
				left := limit - counted
				bound := m.fleet + m.f - m.told + cost + left
				windows["w"] = map[string]any{"l": limit, "b": bound, "nb": bound, "r": left, "v": m.ver, "w": 1000 * draw.Int64N(2), "lo": now, "hi": now + 2000}
				m.f = m.g
			}
			m.seq++
			a := p.exchange(t, time.UnixMilli(now), map[string]any{
				"id": m.id, "seq": m.seq, "ack": m.seq - 1, "inc": m.inc, "ver": m.ver, "nonce": "n", "k": 1, "ttl": 600000, "grace": 1000,
				"trip": 20, "lt": 20, "want": 3, "pr": 0, "fi": 3, "g": m.g, "f": m.f, "fa": m.told, "ov": [][2]int64{{now, m.f}},
				"pd": m.pd, "ps": min(refused, 1), "tm": m.term, "e": m.each, "sp": 0, "bye": 0, "db": 0, "off": 0, "hold": refused * (now + 200), "rf": 0, "rt": 0, "cl": 0, "tc": 0, "ts": 0, "tf": 0, "ws": windows,
			})
			number := func(name string) int64 { return int64(a[name].(float64)) }
			m.g, m.told, m.inc, m.ver, m.fleet = number("g"), m.f, a["inc"].(string), number("ver"), number("f")
			if m.term, m.each = number("tm"), number("e"); a["probe"] == true {
				if m.probe = m.seq; now-last < 700 {
					early++
				}
				last = now
			}
		}
	}
	if t.Logf("%d probes went less than 700 ms after another", early); early < 50 && seeds(4) > 1 {
		t.Error("hardly any wait became shorter")
	}
}
