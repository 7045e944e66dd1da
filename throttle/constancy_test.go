package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
)

// Where the same remains after each request, and no more can have come back, requests are
// not what is counted: what remains bounds them no longer. The first response that says
// less makes it a bound again.
func TestSameRemaining(t *testing.T) {
	for name, c := range map[string]struct {
		reset time.Duration
		freed bool
	}{
		"an hour before the reset":          {time.Hour, true},
		"a bucket that is full in a second": {time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, plain())
			says := minute(100, 3, 0)
			says.Windows[0].Length, says.Windows[0].Reset = 0, header.Reset{In: c.reset, Resolution: time.Second}
			now := 0.
			for range 100 {
				i := len(s.tickets)
				s.tickets = append(s.tickets, s.k.Take(at(now), 1))
				s.hears(now+.01, i, says)
				now += .02
			}
			flying := 0
			for range 50 {
				if d := s.k.Ask(at(now), 1); d.At.After(at(now)) || d.Unknown {
					break
				}
				s.tickets = append(s.tickets, s.k.Take(at(now), 1))
				flying++
			}
			assert.Equal(t, c.freed, flying > 3, "%d in flight", flying)
			falls := minute(100, 2, 0)
			falls.Windows[0].Length, falls.Windows[0].Reset = 0, header.Reset{In: c.reset, Resolution: time.Second}
			for i := len(s.tickets) - flying; i < len(s.tickets); i++ {
				s.hears(now+.02, i, falls)
			}
			left := 0
			for range 50 {
				if d := s.k.Ask(at(now+.03), 1); d.At.After(at(now+.03)) || d.Unknown {
					break
				}
				s.tickets = append(s.tickets, s.k.Take(at(now+.03), 1))
				left++
			}
			assert.LessOrEqual(t, left, 2)
		})
	}
}
