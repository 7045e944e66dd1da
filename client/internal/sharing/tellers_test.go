package sharing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
)

// ask has a request of the only route answered, for a thing and an owner.
func (u *Untold) ask(thing, owner uint64, tells bool) {
	g := Groups{ByRoute: 1, ByThing: 1000 + thing, ByPath: 2000 + thing, ByOwner: 3000 + owner}
	r := header.Reading{}
	if tells {
		r = *left(50)
	}
	id := uint64(1)
	if l := u.LevelOf(1); l != ByBucket {
		id = g[l]
	}
	t := u.Sent(id)
	u.Answered(time.Time{}, id, &t, &r)
	if u.Varies() {
		u.Note(&g, &r)
	}
}

// Things of a route that never tell are told apart from those that always do, at the level at which all do either.
func TestThingsThatTellNothing(t *testing.T) {
	var u Untold
	for i := range uint64(40) {
		u.ask(i%5, 0, i%5 < 2)
	}
	assert.Equal(t, ByThing, u.LevelOf(1))
	assert.True(t, u.Apart(1004))
	assert.False(t, u.Apart(1000))
	assert.Equal(t, ByBucket, u.LevelOf(2), "of another route nothing is known")
}

func TestOwnersThatTellNothing(t *testing.T) {
	var u Untold
	for i := range uint64(40) {
		u.ask(i, i%3, i%3 == 0)
	}
	assert.Equal(t, ByOwner, u.LevelOf(1))
	assert.True(t, u.Apart(3001))
	assert.False(t, u.Apart(3000))
}

// They are not while a thing tells now and then.
func TestThingsThatTellNowAndThen(t *testing.T) {
	var u Untold
	for i := range uint64(200) {
		u.ask(i%5, 0, i%5 < 2 || i%5 == 2 && i%3 == 0)
	}
	assert.Equal(t, ByBucket, u.LevelOf(1))
}

// A few errors that tell nothing make no difference, nor do things of which little is known.
func TestThingsThatHardlyEverTellNothing(t *testing.T) {
	var u Untold
	for i := range uint64(400) {
		u.ask(i%5, 0, i%5 < 2 && i%50 != 1)
		u.ask(100+i, 0, i%2 == 0)
	}
	assert.Equal(t, ByThing, u.LevelOf(1))
}
