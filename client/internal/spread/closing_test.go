package spread_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/client/internal/spread"
)

// Routes that close together open again if requests of others are served that the refusal should have
// concerned: late ones, or so many at the same time that it cannot be chance.
func TestClosingIsRefuted(t *testing.T) {
	heard := time.Unix(1000, 0)
	sent := heard.Add(-100 * time.Millisecond)
	closed := func(sent time.Time, wait time.Duration, named bool) *spread.Estimator {
		s := new(spread.Estimator)
		s.Close(heard, sent, 1, wait, named)
		return s
	}
	const (
		minute = time.Minute
		early  = 10 * time.Millisecond // before the refusal was heard
		late   = 90 * time.Millisecond
	)
	refuse := func(s *spread.Estimator, route uint64, before time.Duration) {
		s.Close(heard, heard.Add(-before), route, minute, true)
	}
	late3 := func(s *spread.Estimator, refused int) (apart bool) {
		for range refused {
			refuse(s, 2, early)
		}
		for range 3 {
			apart = s.Witness(3, heard.Add(-early))
		}
		return apart
	}
	assert.True(t, late3(closed(sent, minute, true), 0))
	assert.True(t, late3(closed(sent, minute, true), 1))
	assert.False(t, late3(closed(sent, minute, true), 2), "others are refused, too")
	assert.False(t, late3(closed(sent, time.Second, true), 0), "the limit may have opened")
	assert.False(t, late3(closed(sent, minute, false), 0), "it is not known when the limit opens")

	batch := func(s *spread.Estimator, mine, others int) (apart bool) {
		for range mine - 1 {
			refuse(s, 1, late)
		}
		for range others {
			apart = s.Witness(2, heard.Add(-late))
		}
		return apart
	}
	assert.True(t, batch(closed(sent, minute, true), 4, 6))
	assert.False(t, batch(closed(sent, minute, true), 3, 6))
	assert.False(t, batch(closed(sent, minute, true), 4, 5))
	assert.False(t, batch(closed(heard.Add(-early), minute, true), 4, 6), "they were sent before")
	s := closed(sent, minute, true)
	s.Witness(1, heard.Add(-late))
	assert.False(t, batch(s, 4, 6), "one of the route was served")
	s = closed(sent, minute, true)
	refuse(s, 2, late)
	assert.False(t, batch(s, 4, 6), "one of another was refused")
}

// Refusals of several routes agree only where more are refused than served.
func TestRefusalsAgreeUnlessOthersAreServed(t *testing.T) {
	now := time.Unix(1000, 0)
	for spared, want := range map[int]int{0: 2, 1: 0, 2: 0} {
		s := new(spread.Estimator)
		c := &spread.Suspect{Route: 1}
		c.Refuse(now, now, now.Add(time.Minute), true)
		s.Suspect(c)
		for range spared {
			s.Served(3, now.Add(time.Millisecond))
		}
		agreed := 0
		for range 2 {
			agreed += len(s.Agree(now.Add(time.Second), 2, 59*time.Second, true))
		}
		assert.Equal(t, want, agreed, spared)
	}
}
