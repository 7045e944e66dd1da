package lab

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/simnet"
)

// A caller draws its own delays, one after the other. So what it meets on the network
// does not depend on which of two others was faster at the same instant, and a run
// with the same seed has the same result.
type caller struct{ rng *rand.Rand }

func newCaller(seed, number uint64) *caller { return &caller{rand.New(rand.NewPCG(seed, number))} }

// between draws a duration from [least, most].
func (c *caller) between(least, most time.Duration) time.Duration {
	return least + time.Duration(c.rng.Int64N(int64(most-least)+1))
}

type callerKey struct{}

func (c *caller) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// A wire is a network that takes between least and most each way.
type wire struct {
	server      *simnet.Transport
	least, most time.Duration
}

func newWire(h http.Handler, least, most time.Duration) *wire {
	server := simnet.New(h, 0)
	server.Min, server.Max = 0, 0 // the delays are ours
	return &wire{server: server, least: least, most: most}
}

// RoundTrip implements http.RoundTripper. The request must be one of a caller.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return nil, errors.New("lab: a client dropped the context of a request")
	}
	out, back := c.between(w.least, w.most), c.between(w.least, w.most)
	if err := sleep(ctx, out); err != nil {
		return nil, err
	}
	resp, err := w.server.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, back); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// sleep waits for d or for the end of ctx, whose cause it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
