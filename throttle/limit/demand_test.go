package limit

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlainDemands(t *testing.T) {
	assert.True(t, Demand{}.Plain())
	assert.True(t, Demand{Requests: 1, Tag: "anything"}.Plain())
	some := map[string]float64{"tokens": 1}
	for name, d := range map[string]Demand{
		"several requests":   {Requests: 2},
		"units":              {Units: some},
		"a size":             {Estimate: Estimate{Bytes: 1}},
		"at most some units": {Estimate: Estimate{Most: some}},
	} {
		assert.False(t, d.Plain(), name)
	}
}
