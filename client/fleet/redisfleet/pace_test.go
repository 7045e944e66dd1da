package redisfleet

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// The script and the ledger agree how long probes of a bucket wait, and who gets how much of it.
func TestScriptPaces(t *testing.T) {
	real := realServer(t)
	for seed := range seeds(4) {
		draw := rand.New(rand.NewPCG(seed, 5))
		p := newPair(t, real, false)
		now := time.UnixMilli(1_900_000_000_000)
		var members []*fake
		for i := range 4 {
			members = append(members, &fake{id: "m" + strconv.Itoa(i)})
		}
		paused, level := 0, 100.0
		for range 500 {
			step := time.Duration(draw.Int64N(40)) * time.Millisecond
			now, level = now.Add(step), min(level+240*step.Seconds(), 100)
			m, ms := members[draw.IntN(len(members))], now.UnixMilli()
			level -= float64(m.g - m.f) // they are over by now
			m.f, m.seq = m.g, m.seq+1
			bound := m.fleet + m.f - m.told + int64(level)
			a := p.exchange(t, now, map[string]any{
				"id": m.id, "seq": m.seq, "ack": m.ack, "inc": m.inc, "ver": m.ver, "nonce": m.id, "k": max(m.members, 1), "ttl": 30000, "grace": 1000,
				"trip": 20, "lt": 20, "want": 40 + draw.Int64N(40), "pr": 0, "fi": 0, "g": m.g, "f": m.f, "fa": m.told, "ov": [][2]int64{{ms, m.f}},
				"pd": m.probe, "ps": 0, "tm": 0, "e": 0, "sp": 0, "bye": 0, "db": 0, "off": 0, "hold": 0, "rf": 0, "rt": 0, "cl": 0, "tc": 0, "ts": 0, "tf": 0,
				"ws": map[string]any{"a": map[string]any{"l": 100, "b": bound, "nb": bound, "r": int64(level), "v": m.ver, "lo": ms, "hi": ms + 10, "w": 10 + 130*(seed%4)}},
			})
			number := func(name string) int64 { return int64(a[name].(float64)) }
			m.ack, m.g, m.told, m.inc, m.ver, m.fleet, m.members = m.seq, number("g"), m.f, a["inc"].(string), number("ver"), number("f"), number("k")
			if a["probe"] == true {
				m.probe = m.seq
			}
			if ws, ok := a["ws"].(map[string]any); ok && ws["a"].(map[string]any)["pw"].(float64) > 0 {
				paused++
			}
		}
		if paused < 100 && seed%4 == 0 {
			t.Errorf("seed %d: in %d of 500 replies probes wait", seed, paused)
		}
	}
}
