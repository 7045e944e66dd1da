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

// Where nothing says when the server opens, because requests cost very different amounts, it is asked every few
// seconds: no client that just retries stays away for longer. Where they cost the same, waits go on growing, as
// they do for a server that is closed for long.
func TestUnevenCostsDoNotMakeWaitsLong(t *testing.T) {
	for _, uneven := range []bool{true, false} {
		t.Run(fmt.Sprint(uneven), func(t *testing.T) {
			k, now, asked := newLimiter(t), epoch, 0
			for end := now.Add(48 * time.Second); now.Before(end); now = now.Add(50 * time.Millisecond) {
				if d := k.AskFor(now, limit.Demand{}); !d.Admits(now) {
					continue
				}
				r := k.TakeFor(now, limit.Demand{})
				r.Uneven = uneven
				k.Observe(now.Add(20*time.Millisecond), r, &header.Reading{Refused: true})
				asked++
			}
			if uneven {
				assert.GreaterOrEqual(t, asked, 10)
				assert.LessOrEqual(t, asked, 14)
			} else {
				assert.LessOrEqual(t, asked, 8)
			}
		})
	}
}
