package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
)

// A block that begins anew with each request is waited for, however long it is and
// whatever the policy's own backoff; the server that opens by itself is found soon after.
func TestABlockThatEachRequestRenewsEnds(t *testing.T) {
	for _, renewed := range []bool{true, false} {
		for _, lasting := range []float64{5, 30, 90, 300} {
			p := plain()
			p.Backoff = func(int) time.Duration { return 20 * time.Second }
			s := newScript(t, p)
			s.hears(.1, s.goes(0), header.Reading{})
			until, sent, now := 1+lasting, 0, 1.
			for refused := true; refused; {
				i := s.goes(now)
				sent++
				if refused = sent == 1 || now < until; refused && renewed {
					until = now + lasting
				}
				r := header.Reading{Refused: refused}
				s.hears(now+.1, i, r)
				for a := s.k.Ask(at(now+.1), 1); refused && a.At.After(at(now)); a = s.k.Ask(at(now), 1) {
					now = a.At.Sub(at(0)).Seconds() + .001
				}
			}
			most := 9*lasting + 150
			if !renewed {
				most = 1.3*lasting + 25
			}
			assert.Less(t, now, most, "%v %v", renewed, lasting)
			assert.Less(t, sent, 60, "%v %v", renewed, lasting)
		}
	}
}
