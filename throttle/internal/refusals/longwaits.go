package refusals

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A longWaits weighs whether the refusals that name a wait of some seconds are those of a
// limit. A limit refuses every request until the time that it names, and admits the same
// number of requests before each refusal. A server that sheds load serves some of the requests
// in between, and refuses after any number. Where little was in flight that could tell, single
// requests are sent within the wait as tests. Nil knows of no such refusal.
type longWaits struct {
	odds     float64       // for a limit, as a logarithm
	until    clock.Instant // requests sent before this are within the last wait; 0 is none
	waits    int           // that no limit explained
	admitted int64         // requests before the last of them; 0 is not known
	kept     bool          // nothing was served since

	test   int64         // the number of the test in flight; 0 is none
	tested clock.Instant // when the last test was sent, or the refusal came
	gap    clock.Instant // before the next
}

const (
	waitsBelieved  = 3 // odds at which a limit is learned,
	waitsDisproved = 4 // and at which, with the other sign, a wait is given up
	waitsMost      = 6
	waitsLong      = 3 * clock.Second / 2 // shorter waits are not weighed
	// What the response to a request says that was sent within a wait: the server sheds half
	// of all, or it has a limit, and serves one in twenty all the same.
	waitRefused, waitServed = 0.64, 2.3
	// waitSame is how likely a limit is to admit about as many requests as the last time.
	waitSame = 0.9
	// waitBroken is what a refusal says that comes after all of a wait, and before any request
	// is served: a server with a limit keeps its word.
	waitBroken = 1
	// waitEnds is how much later than at the end of a wait the server may have opened.
	waitEnds = clock.Second
	// waitTest is when the first test comes. After each that is refused the next one takes
	// twice as long.
	waitTest = clock.Second / 2
)

// begin takes in that t was refused and no limit explains it, and the wait that the refusal
// names. held says that all requests wait.
func (o *longWaits) begin(now clock.Instant, t *Request, wait clock.Instant, held bool) *longWaits {
	if wait < waitsLong {
		if o != nil {
			o.until = 0
		}
		return o
	}
	if o == nil {
		o = new(longWaits)
	}
	if held && o.kept && t.At >= o.until+waitEnds {
		o.add(-waitBroken) // refused once more, after all of the wait
	}
	o.until = now + wait - waitEnds
	if held {
		o.hold(now, wait)
	}
	return o
}

// hold takes in that all requests wait.
func (o *longWaits) hold(now, wait clock.Instant) {
	if o == nil || o.until == 0 {
		return
	}
	o.until = now + wait - waitEnds
	o.waits++
	o.test, o.tested, o.gap, o.kept = 0, now, waitTest, true
}

// observe takes in what became of a request that was sent within the wait; soon says that it
// may have arrived before the refused one.
func (o *longWaits) observe(t *Request, soon, refused bool) {
	if o != nil && !refused {
		o.kept = false
	}
	switch {
	case soon || !o.within(t):
		return
	case refused:
		o.add(waitRefused)
	default:
		o.add(-waitServed)
	}
	if t.Number == o.test {
		o.gap *= 2
		if !refused {
			o.gap = waitTest / 2
		}
	}
}

func (o *longWaits) add(odds float64) { o.odds = max(min(o.odds+odds, waitsMost), -waitsMost) }

// within reports whether a request was sent within the last wait.
func (o *longWaits) within(t *Request) bool { return o != nil && t.At < o.until }

// disproved reports whether the last wait is not one of a limit.
func (o *longWaits) disproved() bool { return o != nil && o.until > 0 && o.odds <= -waitsDisproved }

// believed reports whether the last wait seems to be one of a limit, or was too short to be
// weighed.
func (o *longWaits) believed() bool { return o == nil || o.until == 0 || o.odds >= waitsBelieved }

// weigh takes in how many requests were admitted before a refusal after which all waited,
// where such a share of all requests is refused.
func (o *longWaits) weigh(admitted int64, share float64) {
	if o == nil || o.until == 0 {
		return
	}
	if was := float64(o.admitted); was > 0 {
		least, most := math.Floor(.8*was), math.Ceil(1.25*was)
		// The chance of a number as near as this if each request is refused by chance.
		served := 1 - min(max(share, .01), .6)
		chance := min(max(math.Pow(served, least)-math.Pow(served, most+1), .05), .85)
		if n := float64(admitted); least <= n && n <= most {
			o.add(math.Log(waitSame / chance))
		} else {
			o.add(math.Log((1 - waitSame) / (1 - chance)))
		}
	}
	o.admitted = admitted
}

// TestReady returns when a request may go that tests whether the wait that the server named is
// one of a limit. The response to a test takes no longer than patience.
func (e *Estimator) TestReady(now, patience clock.Instant) clock.Instant {
	o := e.sheds.waits
	switch {
	case o == nil || !e.sheds.open || now >= o.until || o.odds >= waitsBelieved || o.waits < 2 && e.sheds.yes == 0:
		return clock.Never
	case o.test != 0:
		return max(now, o.tested+patience)
	}
	return max(now, o.tested+o.gap)
}

// SendTest takes in that a request is sent within the wait that the server named.
func (e *Estimator) SendTest(now clock.Instant, number int64) {
	if o := e.sheds.waits; o != nil && now < o.until {
		o.test, o.tested = number, now
	}
}

// Tests reports whether a request was such a test, of which no response came before.
func (e *Estimator) Tests(number int64) bool {
	return e.sheds.waits != nil && e.sheds.waits.test == number
}

// EndTest takes in that a request is no longer under way.
func (e *Estimator) EndTest(number int64) {
	if e.Tests(number) {
		e.sheds.waits.test = 0
	}
}
