package parts

import "testing"

// A caller tells a ledger in the name of several members. All hold a lease of six seconds.
type caller struct {
	ledger *Ledger
	now    int64
	whole  int64
	seq    map[string]int64
}

// tell has a member say what it knows, holds and wants, and returns the reply.
func (c *caller) tell(id, inc string, members, each, want int64) Reply {
	if c.seq == nil {
		c.seq = make(map[string]int64)
	}
	c.seq[id]++
	c.now++
	l, r := Exchange(c.ledger, &Report{
		Quota: c.whole, ID: id, Seq: c.seq[id], Heard: c.seq[id] - 1, Inc: inc, Nonce: id, Members: members,
		TTL: 6000, Keep: 8000, Each: each, Want: want,
	}, c.now)
	c.ledger = l
	return r
}

// A ledger that takes the place of a lost one gives nothing before every member of that has said what it holds,
// and has heard of the new one: what it said before may have been on its way for long.
func TestLateReportIsNotTheLastWord(t *testing.T) {
	c := &caller{whole: 10}
	late := c.tell("a", "lost", 2, 0, 5) // by now, it holds eight
	c.tell("b", "lost", 2, 2, 5)
	if r := c.tell("b", late.Inc, 2, 2, 5); r.Each != 2 {
		t.Errorf("b has %d, before a has said that it has the rest", r.Each)
	}
	if r := c.tell("a", "lost", 2, 8, 0); r.Inc != late.Inc {
		t.Errorf("a hears of ledger %q", r.Inc)
	}
	c.tell("a", late.Inc, 2, 8, 0)
	if r := c.tell("b", late.Inc, 2, 2, 5); r.Each != 2 {
		t.Errorf("b has %d, and a has eight", r.Each)
	}
	c.tell("a", late.Inc, 2, 4, 0)
	if r := c.tell("b", late.Inc, 2, 2, 5); r.Each != 6 {
		t.Errorf("b has %d, and a has four", r.Each)
	}
}

// Who joins meanwhile does not stand for one who has yet to be heard, nor does a late report make the members fewer.
func TestNewcomerIsNotOneOfTheLost(t *testing.T) {
	c := &caller{whole: 10}
	inc := c.tell("a", "lost", 2, 1, 0).Inc // that is late: there are three by now
	for range 2 {
		c.tell("new", "", 1, 0, 5)
		c.tell("new", inc, 3, 0, 5)
		c.tell("b", "lost", 3, 2, 0)
		c.tell("b", inc, 2, 2, 0)
		if r := c.tell("new", inc, 3, 0, 5); r.Each != 0 {
			t.Errorf("the new one has %d, before a has said that it has the rest", r.Each)
		}
	}
	c.tell("a", "lost", 3, 8, 0)
	c.tell("a", inc, 4, 7, 0)
	if r := c.tell("new", inc, 4, 0, 5); r.Each != 0 {
		t.Errorf("the new one has %d, before the third has been heard", r.Each)
	}
	c.tell("third", "lost", 3, 0, 0)
	c.tell("third", inc, 4, 0, 0)
	if r := c.tell("new", inc, 4, 0, 5); r.Each != 1 {
		t.Errorf("the new one has %d, and others have nine", r.Each)
	}
}

// What those may hold that were not heard is kept for them, however many they are.
func TestMoreAreLostThanThereIs(t *testing.T) {
	c := &caller{whole: 3}
	inc := c.tell("a", "lost", 6, 0, 3).Inc
	c.now += 7000
	if r := c.tell("a", inc, 6, 0, 3); r.Each != 1 {
		t.Errorf("of 3, a has %d: one of six is there", r.Each)
	}
}
