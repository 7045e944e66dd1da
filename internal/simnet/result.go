package simnet

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// Result is what came of a Load.
type Result struct {
	From  time.Time // when it began
	Until time.Time // when it was to end

	Answers map[int]int // responses that callers got, by status
	Errors  int         // calls that came back with an error, but for those that the end cut off
	First   error       // the first error of the caller with the lowest number that had one

	Counts   apiserver.Counts     // the server's, of the time of the run
	Keys     map[string]KeyResult // by Load.Keys
	Possible int                  // requests that a client who knows everything could have had admitted

	waits []time.Duration // sorted
}

// KeyResult is the part of one key.
type KeyResult struct {
	Counts   apiserver.Counts
	Possible int
}

// RefusedShare returns the part of the requests that arrived which the server
// refused, from 0 to 1.
func (r Result) RefusedShare() float64 { return share(r.Counts.Refused, r.Counts.Requests) }

// UsedShare returns the part of what was possible that was admitted, from 0 to
// 1. It is 0 for an API without limits, where everything is possible.
func (r Result) UsedShare() float64 {
	admitted := 0
	for _, k := range r.Keys {
		admitted += k.Counts.Admitted
	}
	return share(admitted, r.Possible)
}

// Wait returns the time that the part p of the answered calls did not exceed, from
// the call to the end of the answer: Wait(0.5) is the median, Wait(1) the
// longest. It is 0 when nothing was answered.
func (r Result) Wait(p float64) time.Duration {
	if len(r.waits) == 0 {
		return 0
	}
	i := int(math.Ceil(p*float64(len(r.waits)))) - 1
	return r.waits[min(max(i, 0), len(r.waits)-1)]
}

// String sums the result up in a line.
func (r Result) String() string {
	return fmt.Sprintf("refused %.2f %% of %d, used %.2f %% of %d, errors %d, wait p50 %v, p99 %v, max %v",
		100*r.RefusedShare(), r.Counts.Requests, 100*r.UsedShare(), r.Possible, r.Errors,
		r.Wait(.5).Round(time.Millisecond), r.Wait(.99).Round(time.Millisecond), r.Wait(1).Round(time.Millisecond))
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// tally is what one caller saw.
type tally struct {
	answers map[int]int
	errors  int
	first   error
	waits   []time.Duration
}

func (t *tally) answered(status int, wait time.Duration) {
	if t.answers == nil {
		t.answers = map[int]int{}
	}
	t.answers[status]++
	t.waits = append(t.waits, wait)
}

func (t *tally) failed(err error) {
	if t.first == nil {
		t.first = err
	}
	t.errors++
}

func (r *Result) add(t *tally) {
	for status, n := range t.answers {
		r.Answers[status] += n
	}
	r.Errors += t.errors
	if r.First == nil {
		r.First = t.first
	}
	r.waits = append(r.waits, t.waits...)
}

func (r *Result) finish() { slices.Sort(r.waits) }
