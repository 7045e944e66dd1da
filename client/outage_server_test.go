package client_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// An outage is a time in which a part of the requests fails.
type outage struct {
	from, to time.Duration // since the start
	share    float64
	kind     string
}

func (o outage) String() string {
	return fmt.Sprintf("%v to %v: %.0f %% %s", o.from.Round(time.Millisecond), o.to.Round(time.Millisecond), 100*o.share, o.kind)
}

// The ways to fail. Those that end in a number are a status, after which Retry-After
// may follow.
var outageKinds = []string{"500", "502", "503", "504", "503 1", "503 3", "refused", "reset", "timeout", "not found", "odd"}

// fail fails a request in the way of its kind.
func (o outage) fail(req *http.Request) (*http.Response, error) {
	switch o.kind {
	case "refused":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case "reset":
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	case "timeout":
		time.Sleep(2 * time.Second)
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	case "not found":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.test", IsNotFound: true}}
	case "odd":
		return nil, errOdd
	}
	var status int
	var after string
	_, _ = fmt.Sscan(o.kind, &status, &after)
	if after != "" {
		return respond(req, status, "Retry-After", after), nil
	}
	return respond(req, status), nil
}

// A frailServer is one that has outages. It counts what reaches it.
type frailServer struct {
	outages []outage
	start   time.Time

	mu       sync.Mutex // guards the fields below
	random   *rand.Rand
	attempts int
}

func (f *frailServer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	f.mu.Lock()
	if req.URL.Path != "/unsafe" {
		f.attempts++
	}
	trip := time.Duration(20+f.random.IntN(80)) * time.Millisecond
	fate := f.random.Float64()
	f.mu.Unlock()
	time.Sleep(trip)
	if req.URL.Path == "/broken" {
		return respond(req, 500), nil
	}
	now := time.Since(f.start)
	for _, o := range f.outages {
		if o.from <= now && now < o.to && fate < o.share {
			return o.fail(req)
		}
	}
	return respond(req, 200), nil
}

// An ordeal is a server that fails, and callers who ask it. The same seed makes the same.
type ordeal struct {
	name    string
	seed    uint64
	outages []outage
	run     time.Duration
	callers int
	pause   time.Duration // of a caller between two requests, half of it to one and a half
	open    bool          // callers do not wait for the answer
	timeout time.Duration // of a whole request; 0 is none
	broken  float64       // which share of the paths never works
}

func newOrdeal(seed uint64) ordeal {
	r := rand.New(rand.NewPCG(seed, 1))
	o := ordeal{name: strconv.FormatUint(seed, 10), seed: seed, callers: 1, pause: 200*time.Millisecond + time.Duration(r.IntN(1800))*time.Millisecond, open: r.IntN(2) == 0}
	if r.IntN(3) > 0 {
		o.callers = 2 + r.IntN(99)
	}
	seconds := func(least, most float64) time.Duration {
		return time.Duration((least + (most-least)*r.Float64()) * float64(time.Second))
	}
	kind := outageKinds[r.IntN(len(outageKinds))]
	at := seconds(2, 10)
	for range 1 + r.IntN(4) {
		if r.IntN(3) == 0 {
			kind = outageKinds[r.IntN(len(outageKinds))]
		}
		switch r.IntN(4) {
		case 0: // of three nodes, one after the other
			for range 3 {
				o.outages = append(o.outages, outage{at, at + seconds(2, 12), 1. / 3, kind})
				at = o.outages[len(o.outages)-1].to
			}
		case 1:
			o.outages = append(o.outages, outage{at, at + seconds(5, 60), .1 + .5*r.Float64(), kind})
		default:
			o.outages = append(o.outages, outage{at, at + seconds(.1, 40), 1, kind})
		}
		at = o.outages[len(o.outages)-1].to + seconds(10, 60)
	}
	o.run = at
	// Forbear tells at once what go-retryablehttp tells when the time is over, so that
	// callers who wait for it ask more often.
	if o.open && r.IntN(2) == 0 {
		o.timeout = seconds(3, 40)
	}
	if r.IntN(4) == 0 {
		o.broken = .1 * r.Float64()
	}
	return o
}

// total reports whether all requests fail in all outages and have all the time that they
// need, so that luck has no part in it.
func (o ordeal) total() bool {
	if o.timeout > 0 || o.broken > 0 {
		return false
	}
	for _, out := range o.outages {
		if out.share < 1 {
			return false
		}
	}
	return true
}
