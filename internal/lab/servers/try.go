package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/client"

	"github.com/forbear-go/forbear/internal/lab"
)

// A server is one rate limiter that listens.
type server struct {
	name  string // with its version
	setup string // what it allows
	url   string
	rate  float64 // requests a second that it allows in the long run
	stop  func()
	// announced says that it tells what is left before it refuses.
	announced bool
}

const (
	callers = 20
	span    = 40 * time.Second
	// tests is how many of a span are tests of waits at the most.
	tests = 8
	// most is how many requests a server gets at the most, if all goes wrong.
	most = 2000
)

// check returns an error if what came of a trial is not what users are promised. How
// fast it was is no part of that, unless it stood still: it runs in real time, on a
// machine that may have other things to do. For the same reason one request in a hundred
// may be refused by a server that tells its limits: a process that is stopped for a while
// between its decision and the wire comes late. Besides, waits for windows as short as these
// are tested, and each test may be refused.
func (s server) check(r lab.Served) error {
	switch {
	case r.Failed > 0:
		return fmt.Errorf("%s, %s: %d calls failed", s.name, s.setup, r.Failed)
	case s.announced && r.Refused > tests+r.Sent/100:
		return fmt.Errorf("%s, %s: %d of %d requests were refused, though it tells its limits", s.name, s.setup, r.Refused, r.Sent)
	case 10*r.Refused > r.Sent:
		return fmt.Errorf("%s, %s: %d of %d requests were refused", s.name, s.setup, r.Refused, r.Sent)
	case r.Rate < s.rate/10:
		return fmt.Errorf("%s, %s: %.1f requests a second were admitted, of %.1f", s.name, s.setup, r.Rate, s.rate)
	}
	return nil
}

// try lets a forbear client use a server for a while, and then looks at what it says
// when it admits a request and when it refuses one.
func (s server) try(ctx context.Context) (lab.Served, error) {
	counter := &counting{base: http.DefaultTransport}
	rt, err := client.NewTransport(counter)
	if err != nil {
		return lab.Served{}, err
	}
	defer rt.Close()
	running, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	began := time.Now()
	var all sync.WaitGroup
	var failed atomic.Int64
	for range callers {
		all.Go(func() {
			for running.Err() == nil {
				// The deadline is not for the client to see: it would give up early.
				if s.get(context.WithoutCancel(ctx), running, rt) != nil && running.Err() == nil {
					failed.Add(1)
				}
			}
		})
	}
	<-running.Done()
	took := time.Since(began)
	r := lab.Served{
		Server: s.name, Setup: s.setup, Allowed: s.rate,
		Sent: int(counter.sent.Load()), Refused: int(counter.refused.Load()), Failed: int(failed.Load()),
	}
	r.Rate = float64(r.Sent-r.Refused) / took.Seconds()
	rt.Close() // those who wait give up
	all.Wait()
	if err := ctx.Err(); err != nil {
		return r, err
	}
	r.Admits, r.Refuses, err = s.listen(ctx)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.name, err)
	}
	return r, err
}

// get sends one request. It is cancelled a while after the end.
func (s server) get(ctx, running context.Context, rt http.RoundTripper) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(running, cancel)()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return err
}

// listen sends requests until one is refused, and returns what the server said of its
// limits in the first answer and in the refusal.
func (s server) listen(ctx context.Context) (admits, refuses string, err error) {
	// Until whatever was spent is back.
	if err := sleep(ctx, 20*time.Second); err != nil {
		return "", "", err
	}
	for i := range 500 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
		if err != nil {
			return "", "", err
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return "", "", err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		said := limitFields(resp)
		if i == 0 {
			admits = said
		}
		if resp.StatusCode != http.StatusOK {
			return admits, said, nil
		}
	}
	return admits, "", errors.New("500 requests in a row, and none was refused")
}

// limitFields returns the status of a response and its fields that speak of limits.
func limitFields(resp *http.Response) string {
	said := []string{strconv.Itoa(resp.StatusCode)}
	for name, values := range resp.Header {
		lower := strings.ToLower(name)
		if strings.Contains(lower, "ratelimit") || strings.Contains(lower, "rate-limit") || lower == "retry-after" {
			said = append(said, name+": "+strings.Join(values, ", "))
		}
	}
	slices.Sort(said[1:])
	return strings.Join(said, "\n")
}

// counting counts what is sent, and what is refused.
type counting struct {
	base          http.RoundTripper
	sent, refused atomic.Int64
}

func (t *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.sent.Load() >= most {
		return nil, errors.New("too many requests were sent")
	}
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	t.sent.Add(1)
	if resp.StatusCode != http.StatusOK {
		t.refused.Add(1)
	}
	return resp, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
