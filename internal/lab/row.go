package lab

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"time"
)

// A Row is what a client reached in a scenario.
type Row struct {
	Scenario string `json:"scenario"`
	Client   string `json:"client"`
	// Requests is how many arrived, Admitted and Refused what became of them. With
	// faults both may be less.
	Requests int `json:"requests"`
	Admitted int `json:"admitted"`
	Refused  int `json:"refused"`
	// Possible is how many somebody who knows everything could have had admitted; 0
	// where there is no limit.
	Possible int `json:"possible"`
	// Failed is how many calls ended with an error, or with a response of 400 or more.
	Failed int `json:"failed"`
	// P50 and P99 are the waits, from the call to the end of the answer, that half and 99
	// of a hundred successful calls did not exceed, in milliseconds.
	P50 int `json:"p50_ms"`
	P99 int `json:"p99_ms"`
	// HalfLeast and HalfMedian are the requests that a caller, the worst off and the one
	// in the middle, had got through by half time.
	HalfLeast  int `json:"half_least"`
	HalfMedian int `json:"half_median"`
}

// RefusedShare is the part of the requests that was refused, from 0 to 1.
func (r Row) RefusedShare() float64 { return share(r.Refused, r.Requests) }

// UsedShare is the part of what was possible that was admitted, from 0 to 1; 0 where
// there is no limit.
func (r Row) UsedShare() float64 { return share(r.Admitted, r.Possible) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func (r *run) row(tallies []tally) Row {
	row := Row{Scenario: r.ID, Client: r.client.Name}
	counts := r.server.Counts()
	row.Requests, row.Admitted, row.Refused = counts.Requests, counts.Admitted, counts.Refused
	if n := r.possible(); n < math.MaxInt {
		row.Possible = n
	}
	var waits []time.Duration
	half := make([]int, len(tallies))
	for i, t := range tallies {
		waits = append(waits, t.waits...)
		row.Failed += t.failed
		half[i] = t.half
	}
	slices.Sort(waits)
	row.P50, row.P99 = quantile(waits, .5), quantile(waits, .99)
	if r.Arrivals == nil {
		slices.Sort(half)
		row.HalfLeast, row.HalfMedian = half[0], half[len(half)/2]
	}
	return row
}

// quantile returns, in milliseconds, what the part p does not exceed.
func quantile(sorted []time.Duration, p float64) int {
	if len(sorted) == 0 {
		return 0
	}
	i := max(0, int(math.Ceil(p*float64(len(sorted))))-1)
	return int(sorted[i].Round(time.Millisecond).Milliseconds())
}

// A tally is what one caller saw.
type tally struct {
	waits  []time.Duration // of the successful calls
	failed int
	half   int // successful by half time
}

// failurePause is how long a caller rests after a failure that carries no time.
const failurePause = time.Second

// send makes one call. A caller whose call failed rests.
func (t *tally) send(ctx context.Context, r *run, c *caller, s sender, half time.Time) {
	ctx = c.context(ctx)
	began := time.Now()
	resp, err := s.rt.RoundTrip(r.request(ctx, s.key))
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	switch {
	case ctx.Err() != nil: // the end of the run
	case err == nil && resp.StatusCode < 400:
		t.waits = append(t.waits, time.Since(began))
		if time.Now().Before(half) {
			t.half++
		}
	default:
		t.failed++
		_ = sleep(ctx, pause(err)+c.between(0, 50*time.Millisecond)) // only the end of the run cuts it short
	}
}

// pause returns how long to rest after err: until the time that it carries, or a
// second.
func pause(err error) time.Duration {
	if timed, ok := errors.AsType[interface {
		error
		RetryAt() time.Time
	}](err); ok {
		if d := time.Until(timed.RetryAt()); d > 0 {
			return d
		}
	}
	return failurePause
}
