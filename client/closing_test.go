package client

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Routes that close together open again if requests of others are served that the refusal should have
// concerned: late ones, or so many at the same time that it cannot be chance.
func TestClosingIsRefuted(t *testing.T) {
	heard := time.Unix(1000, 0)
	sent := heard.Add(-100 * time.Millisecond)
	closed := func(wait time.Duration, named bool) *closing {
		s := &spread{wide: true}
		s.close(heard, sent, 1, wait, named)
		return &s.closing
	}
	const (
		minute = time.Minute
		early  = 10 * time.Millisecond // before the refusal was heard
		late   = 90 * time.Millisecond
	)
	late3 := func(c *closing, refused int) (apart bool) {
		for range refused {
			c.witness(2, heard.Add(-early), true)
		}
		for range 3 {
			apart = c.witness(3, heard.Add(-early), false)
		}
		return apart
	}
	assert.True(t, late3(closed(minute, true), 0))
	assert.True(t, late3(closed(minute, true), 1))
	assert.False(t, late3(closed(minute, true), 2), "others are refused, too")
	assert.False(t, late3(closed(time.Second, true), 0), "the limit may have opened")
	assert.False(t, late3(closed(minute, false), 0), "it is not known when the limit opens")

	batch := func(mine, others int, spoil func(c *closing)) (apart bool) {
		c := closed(minute, true)
		spoil(c)
		for range mine - 1 {
			apart = c.witness(1, heard.Add(-late), true)
		}
		for range others {
			apart = c.witness(2, heard.Add(-late), false)
		}
		return apart
	}
	none := func(*closing) {}
	assert.True(t, batch(4, 6, none))
	assert.False(t, batch(3, 6, none))
	assert.False(t, batch(4, 5, none))
	assert.False(t, batch(4, 6, func(c *closing) { c.witness(1, heard.Add(-late), false) }), "one of the route was served")
	assert.False(t, batch(4, 6, func(c *closing) { c.witness(2, heard.Add(-late), true) }), "one of another was refused")
	assert.False(t, batch(4, 6, func(c *closing) { c.sent = heard.Add(-early) }), "they were sent before")
}

// Refusals of several routes agree only where more are refused than served.
func TestRefusalsAgreeUnlessOthersAreServed(t *testing.T) {
	now := time.Unix(1000, 0)
	for spared, want := range map[int]int{0: 2, 1: 0, 2: 0} {
		s := new(spread)
		s.suspect(&cooldown{route: 1, refused: now, until: now.Add(time.Minute), named: true})
		for range spared {
			s.served(3, now.Add(time.Millisecond))
		}
		agreed := 0
		for range 2 {
			agreed += len(s.agree(now.Add(time.Second), 2, 59*time.Second, true))
		}
		assert.Equal(t, want, agreed, spared)
	}
}
