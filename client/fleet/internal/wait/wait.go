// Package wait finds out how long a window counts what was sent, where that is told too roughly.
package wait

// A Wait is how long a window counts what was sent: between one that was too short, and one after which all was there
// again. The time between the two is halved by tests. All times are milliseconds.
type Wait struct {
	Length int64 // as it is told
	Least  int64 // it is no less, as resets tell

	short, long int64 // 0 is not known
	full        int64 // probes that found all, since one of these changed
	hits        int64 // tests in turn that did
	pause       int64 // so many probes come before the next test, at the least
	tested      int64 // the wait that the request under way tests; 0 is none
}

const (
	longest   = 20000 // no longer windows are tested
	told      = 250   // shorter ones are told well
	shortest  = 10    // wait that is tested
	surely    = 16    // it is known to this part
	rarely    = 64    // then so many probes come between tests
	again     = 8     // after a refusal, so many times as many,
	pauseMost = 1024
	agree     = 2 // tests in turn, as the window may have opened just then
)

// Long returns the wait that was long enough; 0 is not known.
func (t *Wait) Long() int64 { return t.long }

// lower returns a wait that is too short.
func (t *Wait) lower() int64 { return max(t.short, t.Least) }

// vague reports whether the window may be much shorter than it is told to be.
func (t *Wait) vague() bool { return 0 < t.Length && t.Length <= longest && 3*t.Least < t.Length }

// sure reports whether there is little to find out.
func (t *Wait) sure(whole int64) bool { return t.lower() > 0 && surely*(whole-t.lower()) <= whole }

// Next returns the wait to be tested next, if it is time for that; whole is long enough as far as is known.
func (t *Wait) Next(whole int64) (test int64, due bool) {
	if !t.vague() || t.full < max(t.pause, 1) {
		return 0, false
	}
	if test = (t.lower() + whole) / 2; t.sure(whole) {
		test = whole * 7 / 8
	}
	return test, test >= shortest && test > t.Least
}

// Shorter reports whether the window is shorter than a period, or may be by far.
func (t *Wait) Shorter(period int64) bool {
	return t.long > 0 && 8*t.long < 7*period || t.vague() && 8*t.lower() < 7*period
}

// Send notes that a request goes after a wait; 0 is that it tests none.
func (t *Wait) Send(waited int64) { t.tested = waited }

// Tests reports whether the request under way tests a wait.
func (t *Wait) Tests() bool { return t.tested > 0 }

// Hear takes in what became of a request that tested a wait, or that went before the reset.
func (t *Wait) Hear(whole int64, refused, full bool) {
	tested := t.tested
	t.tested = 0
	switch {
	case tested > 0 && full && !refused:
		if t.hits++; t.hits < agree {
			return
		}
		if t.sure(whole) {
			t.short = 0
		}
		t.long, t.full, t.hits = tested, 0, 0
		t.pause /= 2
	case tested > 0:
		t.short, t.full, t.hits = max(t.short, tested), 0, 0
		if t.sure(whole) {
			t.pause = max(t.pause, rarely)
		}
	case refused && t.Length < told: // that was the time to the next unit
		t.short, t.long, t.full = whole, whole*3/2, 0
	case refused && 3*t.Least > 2*t.Length && t.Least <= t.Length: // it is known, by and large
		t.short, t.long, t.full = whole, min(whole*9/8, t.Length*5/4), 0
	case refused && t.long > 0:
		t.short, t.long, t.full = whole, 2*whole, 0
	case refused:
		return
	case full:
		t.full++
	}
	if refused {
		t.pause = min(again*max(t.pause, 2), pauseMost)
	}
}
