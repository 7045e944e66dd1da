package fleet

import (
	"math/rand/v2"
	"testing"
)

// A window of two seconds opens at even moments; what shows it are probes a while after.
func TestPhaseNarrows(t *testing.T) {
	var p phase
	for i := range int64(5) {
		p.opened(2000*i+1000+10*i, 2000*i+2040-7*i, 2000*i+2040-7*i, 1950)
	}
	if p.period != 2000 || p.turns != 4 {
		t.Fatalf("got %+v", p)
	}
	if p.lo != 9040 || p.hi != 10012 || !p.known() {
		t.Errorf("it opened between %d and %d", p.lo, p.hi)
	}
}

// Two openings that agree make it likely when the next one is; one, or one that contradicts, do not.
func TestLikelyPhase(t *testing.T) {
	var p phase
	p.opened(-30, 1400, 1400, 2000) // to whole seconds, as some resets are told
	if p.likely() {
		t.Error("one opening is enough")
	}
	p.opened(1900, 3390, 3390, 2000)
	if !p.likely() || p.known() {
		t.Errorf("after two: likely %v, known %v", p.likely(), p.known())
	}
	p.opened(4600, 4700, 4700, 2000)
	p.opened(6800, 6900, 6900, 2000)
	if p.likely() {
		t.Errorf("after two that contradict each other: %+v", p)
	}
}

// Openings that are missed, and those that may have been any of several, change nothing.
func TestPhaseOfAnIdleKey(t *testing.T) {
	var p phase
	for i := range int64(4) {
		p.opened(2000*i-30, 2000*i+30, 2000*i+30, 2000)
	}
	p.opened(8500, 31000, 31000, 2000)
	if p.lo != 29970 || p.hi != 30030 || p.turns != 3 {
		t.Errorf("after a long pause: %+v", p)
	}
}

func TestPhaseIsRefuted(t *testing.T) {
	known := func() *phase {
		var p phase
		for i := range int64(4) {
			p.opened(2000*i-30, 2000*i+30, 2000*i+30, 2000)
		}
		return &p
	}
	p := known()
	p.opened(7100, 7160, 7160, 2000) // it opens at moments of its own
	if p.turns != 0 {
		t.Errorf("after an opening in between: %+v", p)
	}
	for i := range int64(6) {
		p.opened(2000*i+9100, 2000*i+9160, 2000*i+9160, 2000)
	}
	if p.known() {
		t.Errorf("after it was wrong, six openings are enough: %+v", p)
	}
	p = known()
	p.opened(12000, 12030, 12030, 60000) // it is longer than it seemed
	if p.turns != 0 || p.period != 60000 {
		t.Errorf("with another period: %+v", p)
	}
	p.opened(13000, 12000, 12000, 60000) // impossible
	p.opened(12000, 13000, 13000, 1<<50)
	if p.turns != 0 || p.period != 60000 {
		t.Errorf("after what cannot be: %+v", p)
	}
}

// Resets that are told to a few milliseconds tell a window of 1.013 seconds from one of a second, although probes
// find each opening within the time that they take.
func TestPhaseOfAnOddLength(t *testing.T) {
	var p phase
	for i := range int64(10) {
		opens := 1013 * (i + 1)
		if p.opened(opens-1, opens+1, opens+60, 1005); p.likely() && i > 1 || p.known() {
			t.Fatalf("after %d openings: %+v", i+1, p)
		}
	}
	p = phase{}
	for i := range int64(10) { // nothing is told, or it opens later than that
		opens := 1000 * (i + 1)
		due := opens + 60
		if i%2 == 0 {
			due = opens - 300
		}
		p.opened(opens-301, due, opens+60, 1000)
	}
	if !p.known() {
		t.Errorf("ten openings agree: %+v", p)
	}
}

// Whatever is known of openings, the phase is where they are: also if one is known so roughly that it may have been
// either of two.
func TestPhaseHoldsTheOpening(t *testing.T) {
	const period = 2000
	draw := rand.New(rand.NewPCG(1, 2))
	known := 0
	for range 2000 {
		var p phase
		at := int64(0)
		for range 12 {
			at += period * (1 + draw.Int64N(3))
			from, to := at-draw.Int64N(period*3/4), at+draw.Int64N(period*3/4)
			p.opened(from, to, to, period)
			if first := at + (p.lo-at+9*period+period-1)/period*period - 9*period; p.turns > 0 && first > p.hi { // the first from lo on
				t.Fatalf("it opened at %d, between %d and %d: %+v", at, from, to, p)
			}
		}
		if p.known() {
			known++
		}
	}
	if known < 1800 {
		t.Errorf("of 2000 openings, %d are known", known)
	}
}
