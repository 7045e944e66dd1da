package redisfleet

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// A fake member makes up reports, as plausible as it likes.
type fake struct {
	id             string
	seq, ack, g, f int64
	inc            string
	ver, told, pd  int64
	probe, members int64
	fleet          int64
	term, each     int64
	limit          int64
}

func (m *fake) report(draw *rand.Rand, now int64) map[string]any {
	if draw.IntN(12) > 0 {
		m.seq++ // else it comes again
	}
	m.f += draw.Int64N(m.g - m.f + 1)
	if draw.IntN(10) == 0 {
		m.g -= draw.Int64N(m.g - m.f + 1)
	}
	if m.probe > 0 && draw.IntN(2) == 0 {
		m.pd, m.probe = m.probe, 0
	}
	windows := map[string]any{}
	for _, name := range []string{"a", "b"} {
		if draw.IntN(3) > 0 {
			left := draw.Int64N(m.limit)
			windows[name] = map[string]any{
				"l": m.limit, "b": m.fleet + left + 1, "nb": m.fleet + draw.Int64N(left+1), "r": left, "v": m.ver - draw.Int64N(2),
				"w": 2000 * draw.Int64N(2), "lo": now + draw.Int64N(1000), "hi": now + 1000 + draw.Int64N(1000),
			}
		}
	}
	rarely := func(n int64) int64 {
		if draw.IntN(25) == 0 {
			return n
		}
		return 0
	}
	return map[string]any{
		"id": m.id, "seq": m.seq, "ack": m.ack - rarely(-1), "inc": m.inc, "ver": m.ver + rarely(5), "nonce": m.id + ":" + strconv.FormatInt(m.seq, 10),
		"k": max(m.members, 1), "ttl": 4000, "grace": 1000, "trip": 1 + draw.Int64N(100), "ps": draw.Int64N(2), "lt": draw.Int64N(100), "ov": m.over(draw, now), "want": draw.Int64N(60), "pr": draw.Int64N(3) - 1, "fi": draw.Int64N(30),
		"g": m.g, "f": m.f, "fa": m.told, "pd": m.pd, "off": rarely(draw.Int64N(3)), "hold": rarely(now + 300), "ws": windows, "rf": 0, "rt": 0, "cl": rarely(now + draw.Int64N(8000)), "tc": 0, "ts": 0, "tf": 0,
		"tm": m.term, "e": m.each, "sp": m.each / 3, "bye": 0, "db": 0, "aw": rarely(draw.Int64N(2000)),
	}
}

// over returns when its units may have been over, one after the other.
func (m *fake) over(draw *rand.Rand, now int64) [][2]int64 {
	all := [][2]int64{}
	for n := max(m.f-10, 0); n < m.f; n += 1 + draw.Int64N(6) {
		all = append(all, [2]int64{now - 10*(m.f-n) + draw.Int64N(20), n})
	}
	return all
}

// The script and the ledger agree when a fixed window opens that is told in whole seconds, what
// is pushed to whom then, and what is allotted.
func TestScriptFindsThePhase(t *testing.T) {
	real := realServer(t)
	for seed := range seeds(5) {
		draw, p := rand.New(rand.NewPCG(seed, 5)), newPair(t, real, false)
		lease := 2500 + 597500*int64(seed%2) // of the shorter one, members are taken for dead now and then, and come back
		now, told, terms, raised := int64(1_900_000_000_000), 0, 0, 0
		members := []*fake{{id: "a"}, {id: "b"}, {id: "c"}}
		windows := make([]map[string]any, len(members))
		var begun, counted int64
		limit := int64(100)
		for range 1500 {
			if draw.IntN(60) > 0 {
				now += draw.Int64N(60)
			} else {
				now += draw.Int64N(6000)
			}
			i := draw.IntN(len(members))
			m := members[i]
			if m.seq++; windows[i] == nil {
				windows[i] = map[string]any{}
			}
			rarely := func(among int) int {
				if draw.IntN(among) == 0 {
					return 1
				}
				return 0
			}
			if draw.IntN(2) == 0 {
				m.f = m.g
			}
			if m.term != 0 && draw.IntN(10) == 0 {
				m.each -= draw.Int64N(m.each + 1)
			}
			if draw.IntN(400) == 0 {
				limit = 80 + draw.Int64N(40)
			}
			a := p.exchange(t, time.UnixMilli(now), map[string]any{
				"id": m.id, "seq": m.seq, "ack": m.seq - 1, "inc": m.inc, "ver": m.ver, "nonce": "n", "k": 1, "ttl": lease, "grace": 1000,
				"trip": 30, "ps": draw.Int64N(2), "lt": 20, "ov": m.over(draw, now), "want": draw.Int64N(2) * 60, "pr": draw.Int64N(3) - 1, "fi": draw.Int64N(30), "g": m.g, "f": m.f, "fa": m.told, "pd": m.pd, "off": 0, "hold": 0, "ws": windows[i], "rf": 0, "rt": 0, "cl": 0, "tc": 0, "ts": 0, "tf": 0,
				"tm": m.term, "e": m.each, "sp": draw.Int64N(m.each + 1), "bye": rarely(50), "db": rarely(200),
			})
			granted := int64(a["g"].(float64))
			m.told, m.inc, m.ver, m.fleet = m.f, a["inc"].(string), int64(a["ver"].(float64)), int64(a["f"].(float64))
			if a["probe"] == true {
				m.pd = m.seq
			}
			had := m.each
			if m.term, m.each = int64(a["tm"].(float64)), int64(a["e"].(float64)); m.term != 0 {
				terms++
				if m.each > had {
					raised++
				}
				granted += min(draw.Int64N(30), m.each) // it spends some of it
			}
			if w, ok := a["ws"].(map[string]any)["w"].(map[string]any); ok && w["p"].(float64) > 0 {
				told++
			}
			// All that was granted is sent at once, and counted in windows of two seconds.
			windows[i] = map[string]any{}
			if cost := granted - m.g; cost > 0 {
				now += 30
				if now/2000 != begun {
					begun, counted = now/2000, 0
				}
				counted += cost
				left, ends := max(limit-counted, 0), now/1000*1000+1000*(2-now/1000%2)
				windows[i]["w"] = map[string]any{"l": limit, "b": m.fleet + cost + left, "nb": m.fleet + cost + left, "r": left, "v": m.ver, "w": 2000, "lo": ends - 700, "hi": ends + 300}
				m.g, m.f = granted, granted-int64(rarely(4))*draw.Int64N(cost) // some may still be under way
			}
		}
		t.Logf("seed %d: %d replies told when the window opens, and %d of allotments, of which %d were raised; %d news pushed something", seed, told, terms, raised, p.pushes)
		if told == 0 || p.pushes == 0 || terms == 0 || raised == 0 {
			t.Error("that leaves something out")
		}
	}
}

// The script says what the ledger in Go says, whatever it is told.
func TestScriptIsTheLedger(t *testing.T) {
	real := realServer(t)
	for seed := range seeds(12) {
		draw := rand.New(rand.NewPCG(seed, 3))
		p := newPair(t, real, seed == 0)
		now := time.UnixMilli(1_900_000_000_000)
		var members []*fake
		for i := range 5 {
			members = append(members, &fake{id: "m" + strconv.Itoa(i), limit: 50 >> (seed % 4)})
		}
		grants := int64(0)
		for range 400 {
			now = p.pass(draw, now, 60)
			m := members[draw.IntN(len(members))]
			q := m.report(draw, now.UnixMilli())
			a := p.exchange(t, now, q)
			if a["stale"] == true {
				continue
			}
			number := func(name string) int64 { return int64(a[name].(float64)) }
			grants += number("g") - m.g
			m.ack = m.seq
			m.g, m.told, m.inc, m.ver = number("g"), m.f, a["inc"].(string), number("ver")
			m.members, m.fleet = number("k"), number("f")
			if a["probe"] == true {
				m.probe = m.seq
			}
		}
		if grants == 0 {
			t.Errorf("seed %d: nothing was granted", seed)
		}
	}
}
