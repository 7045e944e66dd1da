package fleet

import (
	"testing"
	"time"
)

// What was over when is told the ledger until it has heard it, however much there is.
func TestOvers(t *testing.T) {
	var o overs
	start := time.Now()
	ws := []*window{{length: 2 * time.Second}, {length: 500 * time.Millisecond}}
	o.add(start, 1, nil)
	if len(o) > 0 {
		t.Errorf("without a window: %v", o)
	}
	for i := range 1000 {
		o.add(start.Add(time.Duration(i)*time.Millisecond), int64(i+1), ws)
	}
	c := clock{known: true, least: 5 * time.Millisecond, most: 7 * time.Millisecond, origin: start}
	all := o.tell(&c)
	for i, e := range all {
		if at := e[1] - 1 + 7; e[0] < at || e[0] > at+1 {
			t.Errorf("%d were over by %d, which is told to be %d at the latest", e[1], at, e[0])
		}
		if i > 0 && e[1]-all[i-1][1] > 4 {
			t.Errorf("%d and %d are one", all[i-1][1], e[1])
		}
	}
	if len(all) != oversSize || all[len(all)-1][1] != 1000 {
		t.Errorf("%d are told of 1000: %v", len(all), all)
	}
	o.forget(all[3][1])
	if o[0].finished != all[4][1] {
		t.Errorf("the first is %d, the ledger heard of %d", o[0].finished, all[3][1])
	}
	if o.forget(1000); len(o) > 0 {
		t.Errorf("the ledger heard it all, but for %v", o)
	}
}
