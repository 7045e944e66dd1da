package loop

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An owner counts the steps that its loop takes, each of which takes a while.
type owner struct {
	mu    sync.Mutex
	loop  Loop
	steps int
	more  int       // so many of them say that there is another,
	next  time.Time // and others, that there is one then
	wg    sync.WaitGroup
}

func newOwner() *owner {
	o := new(owner)
	o.loop.Init(&o.mu, func(f func()) { o.wg.Go(f) }, func() (bool, time.Time) {
		time.Sleep(10 * time.Millisecond)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.steps++
		next := o.next
		if o.next = (time.Time{}); o.more > 0 {
			o.more--
			return true, time.Time{}
		}
		return false, next
	})
	return o
}

func (o *owner) expect(t *testing.T, what string, steps int, busy bool) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.steps != steps || o.loop.Busy() != busy {
		t.Errorf("%s: %d steps, want %d; busy: %v", what, o.steps, steps, o.loop.Busy())
	}
}

func (o *owner) kick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loop.Kick()
}

func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner()
		o.expect(t, "at first", 0, false)
		o.more = 2
		o.kick()
		o.expect(t, "kicked", 0, true)
		time.Sleep(40 * time.Millisecond)
		o.expect(t, "after three steps", 3, false)

		o.kick()
		time.Sleep(5 * time.Millisecond)
		o.kick() // while a step is taken: that is one more, however often
		o.kick()
		time.Sleep(40 * time.Millisecond)
		o.expect(t, "kicked while it is busy", 5, false)

		o.next = time.Now().Add(time.Second)
		o.kick()
		time.Sleep(900 * time.Millisecond)
		o.expect(t, "before its time", 6, false)
		time.Sleep(200 * time.Millisecond)
		o.expect(t, "after it", 7, false)

		o.mu.Lock()
		o.loop.By(time.Now().Add(-time.Second), time.Now())
		o.mu.Unlock()
		time.Sleep(40 * time.Millisecond)
		o.expect(t, "after a time that is over", 8, false)
		o.wg.Wait()
	})
}

func TestLoopStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner()
		o.more = 100
		o.kick()
		time.Sleep(25 * time.Millisecond)
		o.mu.Lock()
		o.loop.By(time.Now().Add(time.Second), time.Now())
		o.loop.Stop()
		o.mu.Unlock()
		o.wg.Wait() // only the step that is being taken
		o.kick()
		time.Sleep(2 * time.Second)
		o.expect(t, "stopped", 3, false)
	})
}
