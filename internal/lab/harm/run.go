package harm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/simnet"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// Plain is the client that sends each request once.
const Plain = "plain"

// Clients returns those that are compared.
func Clients() []peer.Client {
	retrying, _ := peer.Named(Retrying)
	forbear, _ := peer.Named(peer.Forbear)
	return []peer.Client{
		{Name: Plain, New: func(s peer.Setting) (http.RoundTripper, error) { return s.Base, nil }},
		retrying, forbear,
	}
}

// Retrying is the client that forbear must not do worse than.
const Retrying = "go-retryablehttp"

// into is where in a minute, an hour and a day each run begins.
const into = 17300 * time.Millisecond

// Run tries a client in a world whose draws come from seed. It must be called in a
// testing/synctest bubble.
func Run(ctx context.Context, w World, c peer.Client, seed uint64) (Row, error) {
	w = w.defaults()
	s := &site{each: make([]int, w.Processes)}
	s.start = simnet.Into(time.Now().Add(24*time.Hour), 24*time.Hour, into)
	s.from, s.until = s.start.Add(w.Skip), s.start.Add(w.Span)
	if err := sleep(ctx, time.Until(s.start)); err != nil {
		return Row{}, err
	}
	api := w.API(s)
	network := simnet.New(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.arrive()
		api.ServeHTTP(rw, r)
	}), seed)
	network.Min, network.Max = w.Least, w.Most

	// Cancelled by a timer rather than a deadline, which a client could see coming.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(w.Span, cancel).Stop()
	var callers sync.WaitGroup
	tallies := make([]tally, w.Processes*w.Callers)
	for process := range w.Processes {
		rt, err := c.New(peer.Setting{Base: network})
		if err != nil {
			return Row{}, fmt.Errorf("%s: %w", c.Name, err)
		}
		for i := range w.Callers {
			i += process * w.Callers
			callers.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				ctx := context.WithValue(simnet.WithSource(ctx, rng), processKey{}, process)
				_ = sleep(ctx, between(rng, 0, 50*time.Millisecond)) // no two begin at once
				for n := 0; w.rest(ctx, i, time.Since(s.start)) == nil; n++ {
					tallies[i].send(ctx, rt, w, i, n)
					_ = sleep(ctx, w.Think)
				}
			})
		}
	}
	callers.Wait()
	row := s.row(w, c, tallies)
	<-time.After(48 * time.Hour) // until whatever a client left behind has ended
	return row, nil
}

// rest waits until a caller comes back.
func (w World) rest(ctx context.Context, caller int, since time.Duration) error {
	if w.Away == nil {
		return context.Cause(ctx)
	}
	return sleep(ctx, w.Away(caller, since))
}

type processKey struct{}

func processOf(r *http.Request) int { return r.Context().Value(processKey{}).(int) }

// A tally is what one caller saw.
type tally struct {
	failed, succeeded int
	longest           time.Duration
}

// failurePause is how long a caller rests after a failure that carries no time.
const failurePause = time.Second

// send makes one call, the n-th of a caller. A caller whose call failed rests.
func (t *tally) send(ctx context.Context, rt http.RoundTripper, w World, caller, n int) {
	call := ctx
	if w.Timeout > 0 {
		var cancel context.CancelFunc
		call, cancel = context.WithTimeout(ctx, w.Timeout)
		defer cancel()
	}
	began := time.Now()
	resp, err := rt.RoundTrip(w.Request(call, caller, n))
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	t.longest = max(t.longest, time.Since(began)) // also of those that the end cuts off
	switch {
	case ctx.Err() != nil: // the end of the run
	case err == nil && resp.StatusCode < 400:
		t.succeeded++
	default:
		t.failed++
		if w.Heedless {
			err = nil
		}
		_ = sleep(ctx, pause(err)+between(simnet.Source(ctx), 0, 50*time.Millisecond)) // only the end of the run cuts it short
	}
}

// longestPause is how long a caller rests at the most that is told to come back at a far
// time: others may ask sooner, and so it asks again.
const longestPause = time.Minute

// pause returns how long to rest after err: until the time that it carries, if that is
// not far, or a second.
func pause(err error) time.Duration {
	if timed, ok := errors.AsType[interface {
		error
		RetryAt() time.Time
	}](err); ok {
		if d := time.Until(timed.RetryAt()); d > 0 {
			return min(d, longestPause)
		}
	}
	return failurePause
}

// sleep waits for d or for the end of ctx, whose cause it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
