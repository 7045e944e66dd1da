package wait

import (
	"math/rand/v2"
	"testing"
)

// A window is one that counts for a while what it was sent, whatever it tells. It is always used up.
type window struct {
	truth, told, least int64
	one                bool // it is of one request, so that a test that finds nothing is refused
}

// play has the window opened a number of times. It returns how long that took, and how often requests were refused.
func (w window) play(times int) (took int64, refused int, t Wait) {
	t = Wait{Length: w.told, Least: w.least}
	whole := func() int64 {
		if t.Long() > 0 {
			return t.Long()
		}
		return w.told
	}
	for range times {
		last := whole()
		wait := last
		if test, due := t.Next(last); due {
			t.Send(test)
			full := test >= w.truth
			if t.Hear(last, w.one && !full, full); full {
				took += test
				continue
			}
			if w.one {
				refused++
				took += 1000
				continue
			}
		}
		full := wait >= w.truth
		if t.Hear(last, !full, full); !full {
			refused++
			wait += 1000
		}
		took += wait
	}
	return took, refused, t
}

// Whatever a window tells that opens again after a fraction of a second, the wait comes close to that, with a few
// refusals at the most.
func TestWaitIsFound(t *testing.T) {
	for seed := range uint64(2000) {
		draw := rand.New(rand.NewPCG(seed, 1))
		w := window{truth: 40 + draw.Int64N(900), told: 1000, one: draw.IntN(2) == 0}
		_, refused, _ := w.play(40)
		took, more, got := w.play(400)
		best := 400 * w.truth
		if refused > 4 || more > 8 || 100*best < 65*took {
			t.Errorf("seed %d, %+v: in 40 openings %d were refused; 400 took %d ms with %d refusals, where %d were enough: %+v", seed, w, refused, took, more, best, got)
		}
	}
}

// Where the time that is told is right, tests that cost something become rare, and the others cost nothing.
func TestWaitThatIsTold(t *testing.T) {
	for _, w := range []window{{truth: 1000, told: 1000, one: true}, {truth: 1000, told: 1000}, {truth: 2000, told: 2000, least: 1000}, {truth: 60000, told: 60000}} {
		took, refused, _ := w.play(200)
		if most := 4; refused > most || !w.one && refused > 0 || took > 200*w.told+int64(refused)*1000 {
			t.Errorf("%+v: %d were refused in %d ms", w, refused, took)
		}
	}
}

// A window that is slower than it was is waited for.
func TestWaitBecomesLonger(t *testing.T) {
	w := window{truth: 100, told: 1000}
	_, _, got := w.play(40)
	before := got.Long()
	for range 3 {
		got.Hear(got.Long(), true, false)
	}
	if before > 150 || got.Long() < 4*before {
		t.Errorf("it was %d, and is %d after three refusals", before, got.Long())
	}
}

// No part of a longer period is allotted while it may be shorter.
func TestShorter(t *testing.T) {
	unknown := Wait{Length: 1000}
	_, _, short := window{truth: 300, told: 1000}.play(50)
	_, _, right := window{truth: 1000, told: 1000}.play(50)
	told := Wait{Length: 2000, Least: 1000}
	if !unknown.Shorter(1000) || !short.Shorter(1000) || right.Shorter(1000) || told.Shorter(2000) {
		t.Error(unknown.Shorter(1000), short.Shorter(1000), right.Shorter(1000), told.Shorter(2000))
	}
}

// A test that finds all once may have met a window that opened just then.
func TestOneTestProvesNothing(t *testing.T) {
	w := Wait{Length: 1000}
	w.Hear(1000, false, true)
	for n := range 2 {
		test, _ := w.Next(1000)
		w.Send(test)
		w.Hear(1000, false, true)
		if known := w.Long() > 0; known != (n == 1) {
			t.Errorf("after test %d, it is believed: %v", n+1, known)
		}
	}
}

// A refusal before the reset shows that a length was too short that was guessed: by far if it was the time to the next
// unit of a bucket, and hardly if resets tell nearly the same.
func TestGuessesThatWereTooShort(t *testing.T) {
	for _, c := range []struct{ length, least, long int64 }{{80, 60, 120}, {520, 500, 585}, {2000, 1000, 0}, {2000, 5000, 0}} {
		w := Wait{Length: c.length, Least: c.least}
		if w.Hear(c.length, true, false); w.Long() != c.long {
			t.Errorf("%+v: it is %d", c, w.Long())
		}
	}
}
