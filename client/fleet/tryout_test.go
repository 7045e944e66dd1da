package fleet

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTryout(t *testing.T) {
	var o tryout
	if o.give(0, 7); o.send(1) != 0 || o.stop() {
		t.Error("there is a trial that was not asked for")
	}
	o.give(2, 7)
	e := &flight{cost: 1, tries: o.send(1)}
	if o.cancel(e); o.left != 2 || o.flying != 0 {
		t.Errorf("after one was not sent: %+v", o)
	}
	first, second := &flight{cost: 1, tries: o.send(1)}, &flight{cost: 1, tries: o.send(1), refused: true}
	if first.tries != 7 || second.tries != 7 || o.send(1) != 0 {
		t.Errorf("of two, sent %d and %d", first.tries, second.tries)
	}
	if o.land(first, true) || !o.land(second, false) || o.served != 1 || !o.failed {
		t.Errorf("after one was served and one refused: %+v", o)
	}
	o.give(5, 8)
	if o.land(first, true) || o.served != 0 {
		t.Error("a trial counts what was sent for another")
	}
	if !o.stop() || o.send(1) != 0 {
		t.Errorf("a trial outlives its window: %+v", o)
	}
}

// A refusal within the part of a member contradicts what refusals taught, whatever it says of itself; one
// of a trial does not, nor one that went beyond the part.
func TestRefusalWithinAPart(t *testing.T) {
	for name, c := range map[string]struct {
		sent  int
		units int64 // to be tried
		doubt bool
	}{"part": {10, 0, true}, "trial": {11, 1, false}, "beyond": {11, 0, false}} {
		synctest.Test(t, func(t *testing.T) {
			m := allotted(t)
			m.windows[0].name = silentName
			m.allotment.tryout.give(c.units, 3)
			last := uint64(0)
			for range c.sent {
				last = m.Take(time.Now(), 1)
			}
			m.Refuse(last, time.Time{})
			m.Observe(time.Now(), last, nil, true, time.Now().Add(time.Second))
			if doubt := m.allotment.doubt; doubt != c.doubt {
				t.Errorf("%s: doubt %v", name, doubt)
			}
			if over := m.allotment.tryout.over; over != (c.units > 0) {
				t.Errorf("%s: the trial is over: %v", name, over)
			}
			if q := m.report(time.Now(), 0); q.Refused != 1 || q.Heeded != 0 || q.Doubt > 0 != c.doubt || q.Failed > 0 != (c.units > 0) {
				t.Errorf("%s: reports %+v", name, q)
			}
		})
	}
}

// What a refusal says is told once, and again when nothing is under way any more.
func TestClosingIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		m.allotment, m.windows, m.openTo = allotment{}, nil, time.Now().Add(time.Minute)
		var numbers []uint64
		for range 3 {
			numbers = append(numbers, m.Take(time.Now(), 1))
		}
		until := time.Now().Add(20 * time.Second)
		for i, n := range numbers {
			m.Refuse(n, until)
			m.Observe(time.Now(), n, nil, true, time.Time{})
			if tells := i != 1; m.dirty != tells {
				t.Errorf("after refusal %d there is something to tell: %v", i+1, m.dirty)
			}
			q := m.report(time.Now(), 0)
			if q.Closed < until.UnixMilli() || q.Closed > until.UnixMilli()+5 || q.Refused != int64(i+1) {
				t.Errorf("reports %+v", q)
			}
		}
	})
}
