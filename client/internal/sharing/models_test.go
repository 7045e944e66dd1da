package sharing

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
)

// tells is a response that says how much of 1000 tokens is left, and of 100 requests.
func tells(tokens, requests float64) *header.Reading {
	number := func(v float64) header.Count { return header.Count{Value: v, State: header.Known} }
	return &header.Reading{Windows: []header.Window{
		{Name: "requests", Unit: "requests", Limit: number(100), Remaining: number(requests)},
		{Name: "tokens", Unit: "tokens", Limit: number(1000), Remaining: number(tokens)},
	}}
}

func TestModelsThatMoveApartAreToldApart(t *testing.T) {
	t.Parallel()
	var m Models
	m.Show(1, tells(900, 99))
	responses := 0
	for changed := false; !changed; responses++ {
		assert.Less(t, responses, 6, "it takes a few responses")
		m.Show(1, tells(300-10*float64(responses), 70))
		changed = m.Show(2, tells(900-20*float64(responses), 95))
		if t.Failed() {
			return
		}
	}
	assert.Zero(t, m.Group(1))
	assert.EqualValues(t, 2, m.Group(2))
	assert.Zero(t, m.Group(3), "nothing is known of it")
}

// Two models of a family share limits, and a third does not.
func TestModelsOfAFamilyStayTogether(t *testing.T) {
	t.Parallel()
	var m Models
	for i := range 40 {
		i := float64(i)
		m.Show(1, tells(950-2*i, 99))
		m.Show(2, tells(500-10*i, 70))
		m.Show(3, tells(495-10*i, 70))
	}
	assert.Zero(t, m.Group(1))
	assert.EqualValues(t, 2, m.Group(2))
	assert.EqualValues(t, 2, m.Group(3))
}

// What is reserved and given back, and what others spend, moves the numbers of all models.
func TestModelsThatShareLimitsStayTogether(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		var m Models
		left := 1000.0
		for range 1000 {
			if left -= 40 * random.Float64(); left < 100 {
				left = 1000
			}
			reserved := 150 * random.Float64()
			m.Show(uint64(1+random.IntN(3)), tells(max(0, left-reserved), left/10))
		}
		for model := range uint64(3) {
			assert.Zero(t, m.Group(1+model), "seed %d", seed)
		}
	}
}

// What was taken for two limits and is one is put together again.
func TestModelsComeTogetherAgain(t *testing.T) {
	t.Parallel()
	var m Models
	for i := range 10 {
		i := float64(i)
		m.Show(1, tells(950-i, 99))
		m.Show(2, tells(200-i, 20))
	}
	assert.NotZero(t, m.Group(2))
	changed := false
	for i := range 200 {
		left := 950 - float64(60*i%900)
		m.Show(1, tells(left, 50))
		changed = m.Show(2, tells(left-5, 50)) || changed
	}
	assert.True(t, changed)
	assert.Zero(t, m.Group(2))
}

func TestModelsThatTellNothingAreNotKnown(t *testing.T) {
	t.Parallel()
	var m Models
	assert.False(t, m.Show(1, &header.Reading{}))
	for i := range uint64(100) {
		m.Show(i, tells(500, 50))
	}
	assert.Len(t, m.known, maxModels)
	assert.Zero(t, m.Group(99))
}
