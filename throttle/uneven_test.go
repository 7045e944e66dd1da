package throttle

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Where requests cost very different amounts, how many of them went before a refusal that names a wait of a
// moment is no limit on the next ones; where they cost the same, it is.
func TestUnevenCostsTeachNoNumberOfRequests(t *testing.T) {
	for _, uneven := range []bool{true, false} {
		t.Run(fmt.Sprint(uneven), func(t *testing.T) {
			k, now, served := newLimiter(t), epoch, header.Reading{}
			wait := header.Reset{In: 300 * time.Millisecond, Resolution: time.Millisecond}
			refused := header.Reading{Refused: true, Wait: header.Wait{Reset: wait, Delay: wait.In, Explicit: true}}
			for second := range 8 {
				for i := range 12 {
					at := now.Add(time.Duration(i) * 10 * time.Millisecond)
					if d := k.AskFor(at, limit.Demand{}); !d.Admits(at) {
						continue
					}
					r := k.TakeFor(at, limit.Demand{})
					at = at.Add(5 * time.Millisecond)
					if i >= 8-second%3 {
						r.Uneven = uneven
						k.Observe(at, r, &refused)
						break
					}
					k.Observe(at, r, &served)
				}
				now = now.Add(time.Second)
			}
			assert.Equal(t, uneven, !k.refusals.Limits())
		})
	}
}
