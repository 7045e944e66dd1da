package spread

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Requests that were in flight with one that was refused, came to the server after it, and were served show that the
// refusal concerns its route alone, also if other routes are refused in the same second.
func TestServedInFlight(t *testing.T) {
	for name, served := range map[string]bool{"each has a limit of its own": true, "one limit for all": false} {
		var s Estimator
		now := time.Unix(1000, 0)
		agreed := false
		var suspects [2]Suspect
		for range 5 {
			for route := range suspects {
				c := &suspects[route]
				sent := now.Add(time.Duration(route) * 300 * time.Millisecond)
				heard := sent.Add(100 * time.Millisecond)
				agreed = s.Agreement(len(s.Agree(heard, uint64(route+1), time.Second, true))) || agreed
				c.Route = uint64(route + 1)
				c.Refuse(heard, sent, heard.Add(time.Second), true)
				s.Suspect(c)
				for range Spared {
					if served {
						s.Served(uint64(2-route), sent.Add(60*time.Millisecond))
					}
				}
			}
			now = now.Add(2 * time.Second)
		}
		assert.Equal(t, !served, agreed, name)
	}
}

// The more often a route was refused alone, the more refusals have to agree to concern all.
func TestAgreementAfterRefusalsOfOne(t *testing.T) {
	s := Estimator{}
	assert.False(t, s.Agreement(1))
	assert.True(t, s.Agreement(1))
	s = Estimator{aparts: 3}
	for range agreedEnough + 2 {
		assert.False(t, s.Agreement(1))
	}
	assert.True(t, s.Agreement(1))
}
