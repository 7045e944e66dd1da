package simnet

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Load is a closed loop: callers that each send the next request as soon as the
// last was answered, until an end. Server, Do and Until are required.
type Load struct {
	// Server is what the requests end at; the result is of its counts. They
	// include the requests of everybody else who uses the same keys meanwhile.
	Server *apiserver.Server
	// Do sends a request: the method of that name of an http.Client, or RoundTrip
	// of a transport.
	Do func(*http.Request) (*http.Response, error)
	// Keys are who spends. None means the one key "key".
	Keys []string
	// Callers is how many send at once for each key. Below 1 means 20.
	Callers int
	// Start is when to begin; Into finds a moment inside a window. Past means at
	// once.
	Start time.Time
	// Until is when to end. What is on its way or waits then is cancelled, and the
	// callers' contexts do not tell of it before.
	Until time.Time
	// NewRequest makes a request of a key. Nil means a GET with the key in
	// X-Api-Key. It is called once for each key beforehand, for a request that is
	// not sent but shows under which name the server counts.
	NewRequest func(ctx context.Context, key string) *http.Request
	// Pause is how long a caller waits after an error that carries no time. Zero
	// or less means 100 ms.
	Pause time.Duration
	// Oracle returns a fresh model of what a key, under the name by which the server
	// counts it, may spend. Nil means Server.Fresh.
	Oracle func(key string) ratemodel.Model
}

// Into returns the first moment, not before now, that lies offset after a
// boundary of windows of the given length, counted as ratemodel.Fixed does from
// the Unix epoch. A length that is not positive means now.
func Into(now time.Time, length, offset time.Duration) time.Time {
	if length <= 0 {
		return now
	}
	past := now.Add(-offset).Sub(time.Unix(0, 0)) % length
	if past < 0 {
		past += length
	}
	if past == 0 {
		return now
	}
	return now.Add(length - past)
}

// Run waits for the start, runs the load, and returns when every caller has
// stopped. The end of ctx stops it early.
func (l Load) Run(ctx context.Context) Result {
	l.defaults()
	if err := sleep(ctx, time.Until(l.Start)); err != nil {
		return Result{}
	}
	res := Result{From: time.Now(), Until: l.Until, Answers: map[int]int{}, Keys: map[string]KeyResult{}}
	names := make(map[string]string, len(l.Keys)) // the server's, of our keys
	before := make(map[string]apiserver.Counts, len(l.Keys))
	for _, key := range l.Keys {
		names[key] = l.Server.KeyOf(l.NewRequest(ctx, key))
		before[key] = l.Server.KeyCounts(names[key])
	}
	total := l.Server.Counts()

	// Cancelled by a timer rather than a deadline, which a client could see coming.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(time.Until(l.Until), cancel).Stop()

	var callers sync.WaitGroup
	tallies := make([]tally, len(l.Keys)*l.Callers)
	for i := range tallies {
		callers.Go(func() { l.call(ctx, l.Keys[i/l.Callers], &tallies[i]) })
	}
	callers.Wait()

	for i := range tallies {
		res.add(&tallies[i])
	}
	res.finish()
	res.Counts = l.Server.Counts().Sub(total)
	for key, name := range names {
		k := KeyResult{
			Counts:   l.Server.KeyCounts(name).Sub(before[key]),
			Possible: ratemodel.Greedy(l.Oracle(name), res.From, l.Until, 0),
		}
		res.Keys[key] = k
		// Without a limit the number is the largest there is.
		res.Possible += min(k.Possible, math.MaxInt-res.Possible)
	}
	return res
}

func (l *Load) defaults() {
	if len(l.Keys) == 0 {
		l.Keys = []string{"key"}
	}
	if l.Callers < 1 {
		l.Callers = 20
	}
	if l.NewRequest == nil {
		l.NewRequest = get
	}
	if l.Pause <= 0 {
		l.Pause = 100 * time.Millisecond
	}
	if l.Oracle == nil {
		l.Oracle = l.Server.Fresh
	}
}

// call is one caller: it sends until ctx ends.
func (l *Load) call(ctx context.Context, key string, t *tally) {
	for ctx.Err() == nil {
		req := l.NewRequest(ctx, key)
		began := time.Now()
		res, err := l.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		switch {
		case err == nil:
			t.answered(res.StatusCode, time.Since(began))
		case ctx.Err() != nil: // the end of the run, not a failure
			return
		default:
			t.failed(err)
			_ = sleep(ctx, l.pause(err))
		}
	}
}

// pause returns how long to wait after err: until the time that it carries, if
// it does and that is not past.
func (l *Load) pause(err error) time.Duration {
	var timed interface{ RetryAt() time.Time }
	if errors.As(err, &timed) {
		if d := time.Until(timed.RetryAt()); d > 0 {
			return d
		}
	}
	return l.Pause
}

func get(ctx context.Context, key string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.test/", nil)
	if err != nil {
		panic("simnet: " + err.Error()) // the URL is a constant
	}
	req.Header.Set("X-Api-Key", key)
	return req
}
