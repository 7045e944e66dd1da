package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
)

// A limit is used where what is said to remain of it was used, or is a percentage.
func TestWhatIsCalledRemaining(t *testing.T) {
	const limit, windows = 1000, 10
	for name, told := range map[string]func(left int) int{
		"was used":        func(left int) int { return limit - left },
		"is a percentage": func(left int) int { return left * 100 / limit },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, DefaultPolicy())
			window, left, served, refused := 0, limit, 0, 0
			requestsIn(s, 20, 5, windows*60, func(int) header.Reading {
				now := s.k.lastSent
				if n := int(now / (60 * second)); n > window {
					window, left = n, limit
				}
				end := instant(window+1) * 60 * second
				ok := left > 0
				if ok {
					left--
					served++
				} else {
					refused++
				}
				r := minute(limit, told(left), time.Duration(end).Seconds())
				if r.Refused = !ok; !ok {
					r.Wait = refusal(time.Duration(end-now).Truncate(time.Second) + time.Second).Wait
				}
				return r
			})
			t.Log(served, refused)
			assert.Greater(t, served, limit*windows*85/100)
			assert.LessOrEqual(t, refused, 20)
		})
	}
}
