package client

import (
	"testing"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

func TestWithFleetNeedsOne(t *testing.T) {
	if _, err := NewTransport(nil, WithFleet(nil)); err == nil {
		t.Error("no fleet is an error")
	}
}

// A request that cannot wait as long as the fleet has it wait goes as without one, if nobody's word stands against it.
func TestGoesAlone(t *testing.T) {
	now := time.Now()
	soon := now.Add(time.Second)
	for _, c := range []struct {
		name  string
		d     limit.Decision
		left  time.Duration
		alone bool
	}{
		{"a slow store", limit.Decision{Unknown: true, Try: true}, grantPatience, true},
		{"a slow store, with time enough", limit.Decision{Unknown: true, Try: true}, time.Second, false},
		{"a store", limit.Decision{Unknown: true}, grantPatience, false},
		{"others first", limit.Decision{At: soon, Try: true}, time.Second, true},
		{"others first, with time enough", limit.Decision{At: soon, Try: true}, 2 * time.Second, false},
		{"others first, without bound", limit.Decision{At: soon, Try: true}, 0, false},
		{"nothing left", limit.Decision{At: soon}, time.Second, false},
	} {
		if alone := goesAlone(now, &c.d, &limit.Demand{Left: c.left}, new(attempt)); alone != c.alone {
			t.Errorf("%s: alone %v", c.name, alone)
		}
	}
}
