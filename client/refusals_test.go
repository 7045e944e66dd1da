package client

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle"
)

// However many limits refuse, those of the last ones are remembered, and no more.
func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	limits := make([]*throttle.Limiter, 3*maxRefusals)
	for i := range limits {
		limits[i] = newThrottle(throttle.DefaultPolicy(), time.Now())
		r.add(limits[i], &refusal{status: i})
		r.add(limits[i], &refusal{status: -i})
	}
	assert.Len(t, r.last, maxRefusals)
	assert.Len(t, r.order, maxRefusals)
	for i, limit := range limits {
		if said := r.of(limit); i < 2*maxRefusals {
			assert.Nil(t, said)
		} else {
			assert.Equal(t, -i, said.status)
		}
	}
}
