package ratemodel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A request of several units is admitted at the moment that Next names, not before, and
// then spends all of them.
func TestUnits(t *testing.T) {
	start := time.Unix(1e9, 0)
	for name, build := range map[string]func() ratemodel.Model{
		"fixed":   func() ratemodel.Model { return ratemodel.NewFixed(5, time.Minute) },
		"log":     func() ratemodel.Model { return ratemodel.NewSlidingLog(5, time.Minute) },
		"counter": func() ratemodel.Model { return ratemodel.NewSlidingCounter(5, time.Minute) },
		"bucket":  func() ratemodel.Model { return ratemodel.NewBucket(5, 5, time.Minute) },
		"all":     func() ratemodel.Model { return ratemodel.All{ratemodel.NewSlidingLog(5, time.Minute)} },
	} {
		m := build()
		three := ratemodel.Units{Model: m, N: 3}
		assert.True(t, three.Admit(start), name)
		assert.Equal(t, 2, m.Windows(nil, start)[0].Remaining, name)
		assert.False(t, three.Admit(start), name)
		assert.Equal(t, 2, m.Windows(nil, start)[0].Remaining, name)
		assert.True(t, ratemodel.Units{Model: m, N: 2}.Admit(start), name)
		next := three.Next(start)
		assert.True(t, next.After(start), name)
		assert.False(t, three.Admit(next.Add(-1)), name)
		assert.True(t, three.Admit(next), name)
	}
	many := ratemodel.Units{Model: ratemodel.NewFixed(5, time.Minute), N: 6}
	assert.False(t, many.Admit(start))
	assert.True(t, many.Next(start).After(start))
	assert.True(t, ratemodel.Units{Model: ratemodel.NewFixed(5, time.Minute)}.Admit(start))
}

func TestConcurrent(t *testing.T) {
	start := time.Unix(1e9, 0)
	c := ratemodel.NewConcurrent(2)
	all := ratemodel.All{c, ratemodel.NewFixed(100, time.Minute)}
	assert.True(t, all.Admit(start))
	assert.True(t, all.Admit(start))
	assert.False(t, all.Admit(start))
	assert.Equal(t, start.Add(time.Second), all.Next(start))
	assert.Len(t, all.Windows(nil, start), 1)
	c.Release()
	assert.True(t, all.Admit(start))
	assert.False(t, all.Admit(start))
	ratemodel.Units{Model: c, N: 2}.Release()
	c.Release()
	assert.True(t, all.Admit(start)) // a release too many gives no more room
	assert.True(t, all.Admit(start))
	assert.False(t, all.Admit(start))
}
