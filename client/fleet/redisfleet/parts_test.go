package redisfleet

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// The script and the ledger in Go divide a quota in the same way, whatever they are told.
func TestScriptDivides(t *testing.T) {
	given, pushes, turns := 0, 0, 0
	real := realServer(t)
	for seed := range seeds(6) {
		draw, p := rand.New(rand.NewPCG(seed, 11)), newPair(t, real, seed == 0)
		now := time.UnixMilli(1_900_000_000_000)
		quota := 1 + draw.Int64N(200)
		if seed%2 == 0 {
			quota = 1 + draw.Int64N(3)
		}
		members := make([]*fake, 6)
		for i := range members {
			members[i] = &fake{id: "m" + strconv.Itoa(i)}
		}
		for range 300 {
			now = p.pass(draw, now, 50)
			m := members[draw.IntN(len(members))]
			if draw.IntN(12) > 0 {
				m.seq++ // else it comes again
			}
			rarely := func(n int64) int64 {
				if draw.IntN(25) == 0 {
					return n
				}
				return 0
			}
			m.each -= draw.Int64N(m.each + 1)
			a := p.exchange(t, now, map[string]any{
				"quota": quota + rarely(5), "id": m.id, "seq": m.seq, "ack": m.ack + rarely(1), "inc": m.inc, "ver": m.ver + rarely(5),
				"nonce": m.id + ":" + strconv.FormatInt(m.seq, 10), "k": max(m.members, 1), "ttl": 3000, "keep": 5000, "bye": rarely(1),
				"e": m.each, "want": draw.Int64N(3) * draw.Int64N(40), "rank": draw.Int64N(3) - 1,
			})
			if a["stale"] == true {
				continue
			}
			number := func(name string) int64 { return int64(a[name].(float64)) }
			if number("e") > m.each {
				given++
			}
			if a["turn"] == true {
				turns++
			}
			m.ack, m.each, m.inc, m.ver, m.members = m.seq, number("e"), a["inc"].(string), number("ver"), number("k")
		}
		pushes += p.pushes
	}
	t.Logf("%d replies gave something, %d news pushed something, %d told of turns", given, pushes, turns)
	if given == 0 || pushes == 0 || turns == 0 {
		t.Error("that leaves something out")
	}
}
