package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// TestServersThatCountApart requires that where several servers behind one name count apart a
// program gets nearly what it would get with a client that only retries, and is refused less.
func TestServersThatCountApart(t *testing.T) {
	skipUnderRace(t)
	for _, c := range []struct {
		name   string
		nodes  int
		limit  int
		length time.Duration
		wait   bool
		floor  float64
	}{
		{"eight, 10 a second", 8, 10, time.Second, true, .75},
		{"three, 10 a second", 3, 10, time.Second, true, .75},
		{"eight, 20 in 10 s", 8, 20, 10 * time.Second, true, .75},
		{"eight, 100 a minute", 8, 100, time.Minute, true, .92},
		{"three, 100 a minute", 3, 100, time.Minute, true, .94},
		{"two, 100 a minute", 2, 100, time.Minute, true, .94},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got, possible int
			for seed := range uint64(4) {
				s := simulation{model: func() ratemodel.Model { return ratemodel.NewFixed(c.limit, c.length) }, nodes: c.nodes,
					announce: epochSeconds, callers: 30, start: into, length: 6 * time.Minute, policy: DefaultPolicy(),
					fastest: latencies[1][0], slowest: latencies[1][1], seed: seed}
				s.announce.wait = c.wait
				ours := s.run()
				s.callers, s.instead = 0, 30
				plain := s.run()
				t.Logf("%v; plain %v", ours, plain)
				assert.LessOrEqual(t, ours.refused, plain.refused)
				got, possible = got+ours.admitted, possible+plain.admitted
			}
			assert.GreaterOrEqual(t, float64(got)/float64(possible), c.floor)
			t.Logf("%.3f of it", float64(got)/float64(possible))
		})
	}
}

// A window of which no response tells when it opens did open if as much is left as then, and does not seem to be that of another
// server. What the responses before said is over.
func TestAWindowWithoutAResetOpens(t *testing.T) {
	s := newScript(t, plain())
	for now := range 120 {
		left := 99 - now
		if now >= 97 {
			left += 97
		}
		r := minute(100, left, 0)
		r.Windows[0].Length, r.Windows[0].Reset = 24*time.Hour, header.Reset{}
		s.hears(float64(now)+.1, s.goes(float64(now)), r)
	}
}
