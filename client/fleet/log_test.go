package fleet

import (
	"slices"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

// Where what was sent leaves the window one by one, the fleet need not wait for a reset
// that is told late, and has at least what its members have without it: also where the
// length of the window is not told.
func TestWhatRefills(t *testing.T) {
	if chance.Raced {
		t.Skip("these are figures of many windows")
	}
	for _, c := range []struct {
		name     string
		limit    clienttest.Limit
		dialect  clienttest.Option
		possible int
		target   int
	}{
		{"rolling", clienttest.Rolling(200, 2*time.Second), clienttest.Draft8(), 3000, 2930},
		{"counter", clienttest.SlidingCounter(200, 2*time.Second), clienttest.Draft8(), 3000, 2600},
		{"bucket", clienttest.Bucket(100, 200, 2*time.Second), clienttest.Draft8(), 3100, 2650},
		{"first", clienttest.FromFirst(200, 2*time.Second), clienttest.Draft8(), 3000, 2900},
		{"rolling, no length", clienttest.Rolling(200, 2*time.Second), clienttest.XRateLimitDelta(), 3000, 2850},
		{"counter, no length", clienttest.SlidingCounter(200, 2*time.Second), clienttest.XRateLimitDelta(), 3000, 2500},
		{"bucket, no length", clienttest.Bucket(100, 200, 2*time.Second), clienttest.XRateLimitDelta(), 3100, 2600},
		{"first, no length", clienttest.FromFirst(200, 2*time.Second), clienttest.XRateLimitDelta(), 3000, 2750},
		{"counter, moments", clienttest.SlidingCounter(200, 2*time.Second), clienttest.XRateLimit(), 3000, 2500},
	} {
		admitted := func(t testing.TB, fleet bool) (n int) {
			chance.Bubble(t, func(t testing.TB) {
				w := newWorld(t, 4, c.limit, c.dialect)
				if !fleet {
					w.alone(t)
				}
				w.play(t, 30*time.Second, busy, nil)
				n = w.api.Counts().Admitted
				if fleet {
					w.expect(t, c.target, 20, 1.5)
				}
			})
			return n
		}
		chance.Test(t, func(t testing.TB) {
			if alone, fleet := admitted(t, false), admitted(t, true); 100*fleet < 95*alone {
				t.Errorf("%s: a fleet had %d of %d, without one %d", c.name, fleet, c.possible, alone)
			}
		})
	}
}

// spent returns a ledger of which two members have sent all, at the time that it returns; the reset is
// told to be five seconds later, and the window to be as long as given.
func spent(t testing.TB, length int64) (b *book, at int64) {
	t.Helper()
	b = shared(t)
	for range 8 {
		b.tell("a", func(q *report) { q.Want = 100 })
	}
	at = b.now
	for _, id := range []string{"a", "b"} {
		b.tell(id, func(q *report) {
			q.Finished = q.Granted
			q.Windows = map[string]told{"w": {Limit: 100, Bound: 100, Newest: 100, Earliest: at + 5000, Latest: at + 5000, Length: length, Ver: q.Ver}}
		})
	}
	return b, at
}

func TestLogOpensBeforeTheReset(t *testing.T) {
	b, at := spent(t, 2000)
	b.now = at + 1990
	r := b.tell("b", func(q *report) { q.Want = 1 })
	if r.Probe || r.At < at+2000 || r.At > at+2050 {
		t.Fatalf("before anything left the window: %+v", r)
	}
	b.now = at + 2050
	if r = b.tell("b", func(q *report) { q.Want = 1 }); !r.Probe {
		t.Fatalf("after all left the window: %+v", r)
	}
	// It finds nothing: the next may go later, and that after it later still.
	empty := func(q *report) {
		q.Finished, q.Probed, q.Shut, q.Want = q.Granted, q.Seq-1, 1, 1
	}
	first := b.tell("b", empty)
	b.now = first.At
	if r = b.tell("b", func(q *report) { q.Want = 1 }); !r.Probe || first.At < at+2150 {
		t.Fatalf("after one that found nothing, at %d: %+v, then %+v", first.At-at, first, r)
	}
	pause := b.now
	if r = b.tell("b", empty); r.At-pause < 2*(first.At-at-2050)-5 {
		t.Errorf("after another, %d after it: %+v", r.At-pause, r)
	}
	// One that is served is none of those, although it took all that had left.
	b.now = r.At
	probe := b.tell("b", func(q *report) { q.Want = 1 })
	served := b.tell("b", func(q *report) { q.Finished, q.Probed, q.Shut, q.Want = q.Granted, q.Seq-1, 0, 1 })
	if !probe.Probe || served.At > b.now+50 {
		t.Errorf("after one that was served, %d after it: %+v", served.At-b.now, served)
	}
}

// The log knows when units were over that a report tells of later, and that a probe takes some time to arrive.
func TestLogTakesWhatWasOverBefore(t *testing.T) {
	b, at := spent(t, 2000)
	b.l.log = nil
	b.tell("a", nil)
	for _, id := range []string{"a", "b"} {
		b.tell(id, func(q *report) { q.Granted, q.Want = q.Granted+50, 0 }) // they sent more by themselves
	}
	b.now = at + 900
	b.tell("a", func(q *report) {
		q.Finished += 40
		q.Over = [][2]int64{{at + 300, q.Finished - 38}, {at + 500, q.Finished - 3}}
	})
	b.tell("b", func(q *report) {
		q.Finished += 20
		q.Over = [][2]int64{{at + 400, q.Finished}}
	})
	finished := b.l.finished
	want := []moment{{at, at, finished - 60}, {at + 300, at + 300, finished - 58}, {at + 400, at + 400, finished - 38}, {at + 500, at + 500, finished - 3}, {at + 900, at + 900, finished}}
	if !slices.Equal(b.l.log, want) {
		t.Errorf("%+v, want %+v", b.l.log, want)
	}
	for _, c := range []struct{ limit, length, least, at int64 }{
		{100, 2000, 0, at + 400}, // two leave, and more soon after that,
		{100, 1000, 0, at + 300}, // or not so soon
		{60, 2000, 0, at + 500},
		{60, 2000, 40, at + 500 - 35}, // the probe is on its way for so long
		{43, 2000, 0, at + 900},
	} {
		w := b.l.windows["w"]
		w.limit, w.length, w.next = c.limit, c.length, 0
		for _, m := range b.l.members {
			m.least = c.least
		}
		if got := b.l.opens(w) - w.length - ledgerMargin; got != c.at {
			t.Errorf("%+v: it opens %d after what was over first", c, got-at)
		}
	}
}

// Without a length, or with others that spend the window, the log says nothing.
func TestLogSaysNothing(t *testing.T) {
	for name, change := range map[string]func(*windowState){
		"no length": func(w *windowState) { w.length = 0 },
		"strangers": func(w *windowState) { w.shared = 1 << 50 },
	} {
		b, at := spent(t, 2000)
		change(b.l.windows["w"])
		b.now = at + 2500
		if r := b.tell("b", func(q *report) { q.Want = 1 }); r.Probe || r.At < at+5000 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The log stays small, and counts nothing from before it was over.
func TestLogIsBounded(t *testing.T) {
	l := newLedger("x")
	l.windows["w"] = &windowState{limit: 320, length: 3200}
	for i := range int64(1000) {
		l.finished++
		l.note(i * 37)
		if last := l.log[len(l.log)-1]; last.at != i*37 || last.finished != i+1 || last.at-last.from >= 100 {
			t.Fatalf("step %d: %+v", i, last)
		}
	}
	if len(l.log) > logSize {
		t.Errorf("it has %d entries", len(l.log))
	}
}

// Eight processes use hardly less of a rolling window than all there is, in bursts that begin a round trip
// later each time, so that half of the last one may come too late.
func TestRollingIsUsed(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 8, clienttest.Rolling(400, 2*time.Second), clienttest.Draft8())
		w.play(t, 21400*time.Millisecond, busy, nil)
		w.expect(t, 4190, 4, 0.5)
	})
}

// Where a bucket tells when it has the next unit, the fleet does not look for each: calls to the store do not become
// more where requests do, and hardly anything is lost.
func TestBucketIsAskedSeldom(t *testing.T) {
	for _, n := range []int{400, 2000} {
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 8, clienttest.Bucket(n, n, 2*time.Second), exact(), clienttest.Latency(10*time.Millisecond, 20*time.Millisecond))
			w.play(t, 21400*time.Millisecond, busy, nil)
			w.expect(t, n*1170*97/10000, 2, 170/float64(n)) // 1.6 and 0.5 before
			w.level(t, 0.85)
		})
	}
}

// How long probes wait depends on what a window lets in and what comes, over a while.
func TestPace(t *testing.T) {
	const limit = 400
	for name, c := range map[string]struct{ length, each, gained, shared, pause int64 }{
		"a bucket":                      {5, 20, 4, 0, 128},
		"a fast one":                    {5, 20, 16, 0, 62},
		"one that is asked seldom":      {5, 400, 80, 0, 128},
		"a window that rolls":           {2000, 20, 4, 0, 0},
		"one of which little rolls":     {2000, 1900, 300, 0, 0},
		"one that opens":                {2000, 2000, limit, 0, 0},
		"one that others spend too":     {2000, 2000, 40, 1 << 50, 0},
		"one that is hardly spent":      {5, 3000, 50, 0, 0},
		"one whose length is not known": {0, 20, 4, 0, 0},
	} {
		l := newLedger("x")
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			l.members[id] = new(memberState)
		}
		w := &windowState{limit: limit, length: c.length, shared: c.shared}
		for now := int64(1000); now < 20000; now += c.each {
			w.bound += c.gained
			l.pace(w, now)
		}
		if w.pause != c.pause {
			t.Errorf("%s: a probe waits for %d ms, want %d", name, w.pause, c.pause)
		}
		if w.bound = 0; c.pause > 0 {
			if l.pace(w, 20000); w.pause != 0 {
				t.Errorf("%s: after a new ledger, a probe waits for %d ms", name, w.pause)
			}
		}
	}
}

// The log forgets what left all windows before something else did.
func TestLogForgets(t *testing.T) {
	l := newLedger("x")
	l.windows["short"], l.windows["long"] = &windowState{limit: 100, length: 50, reset: 40}, &windowState{limit: 100, length: 500, reset: 400}
	for i := range int64(60) {
		l.finished++
		l.note(i * 20)
	}
	if first, over := l.log[0].at, int64(59*20-500-ledgerMargin); first < over-20 || first > over {
		t.Errorf("the first left at %d, and the log begins with what left at %d", over, first)
	}
}

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
