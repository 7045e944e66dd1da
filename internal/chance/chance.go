// Package chance judges tests whose outcome depends on the draw: on the order in which
// goroutines run, on random waits, on servers that refuse at random. A bar that such a test
// always passes would be too low to be of use.
package chance

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Test calls f, which may fail now and then. If it does, it is drawn again until it held
// three times, or failed three times and the test with it: one that fails once in twenty draws
// fails once in a thousand runs, and one that is broken always does. Under the race detector,
// where time is short, f is called once, and its failures are only logged.
func Test(t *testing.T, f func(t testing.TB)) {
	t.Helper()
	judge(t, func() bool { return holds(t, f) })
}

// Bubble is Test with each draw in a bubble of testing/synctest. Within a draw of Test it is
// one bubble, and its failures are those of that draw.
func Bubble(t testing.TB, f func(t testing.TB)) {
	t.Helper()
	outer, within := t.(*once)
	if within {
		t = outer.TB
	}
	draw := func() (held bool) {
		synctest.Test(t.(*testing.T), func(t *testing.T) { held = holds(t, f) })
		return held
	}
	if !within {
		judge(t, draw)
	} else if !draw() {
		outer.Fail()
	}
}

func judge(t testing.TB, draw func() bool) {
	t.Helper()
	if draw() || Raced {
		return
	}
	held, failed := 0, 1
	for held < 3 && failed < 3 {
		if draw() {
			held++
		} else {
			failed++
		}
	}
	if failed == 3 {
		t.Errorf("%d of %d draws failed", failed, held+failed)
	}
}

// once is a test whose failures are logged and remembered, and fail nothing yet.
type once struct {
	testing.TB

	failed atomic.Bool
}

// holds calls f in a goroutine of its own, which FailNow may end.
func holds(t testing.TB, f func(testing.TB)) bool {
	o, done := &once{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(o)
	}()
	<-done
	return !o.Failed()
}

func (o *once) Fail()        { o.failed.Store(true) }
func (o *once) Failed() bool { return o.failed.Load() || o.TB.Failed() }

func (o *once) FailNow() {
	o.Fail()
	runtime.Goexit()
}

func (o *once) Error(args ...any) {
	o.Helper()
	o.Log(args...)
	o.Fail()
}

func (o *once) Errorf(format string, args ...any) {
	o.Helper()
	o.Logf(format, args...)
	o.Fail()
}

func (o *once) Fatal(args ...any) {
	o.Helper()
	o.Log(args...)
	o.FailNow()
}

func (o *once) Fatalf(format string, args ...any) {
	o.Helper()
	o.Logf(format, args...)
	o.FailNow()
}
