package clienttest

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Faults are what goes wrong for no fault of the client's. Shares are parts of the
// requests, from 0 to 1; a request has at most one fault.
type Faults struct {
	// Shed is the share that is answered Status, 503 if that is 0.
	Shed   float64
	Status int
	// Reset is the share whose connection breaks before the response.
	Reset float64
	// Truncate is the share whose connection breaks in the middle of the body.
	Truncate float64
	// Stall is the share that is answered after StallFor, or never if that is 0.
	Stall    float64
	StallFor time.Duration
	// Counted says that the limits count requests that are shed or whose connection
	// breaks before the response. The others are always counted.
	Counted bool
	// Skew is how far the server's clock is ahead of the client's, or behind if it is
	// negative. It shows in the Date header and in every absolute time.
	Skew time.Duration
	// Seed makes the choice repeatable.
	Seed uint64
}

func (f Faults) apply(c *config) {
	sum := 0.
	for _, share := range []float64{f.Shed, f.Reset, f.Truncate, f.Stall} {
		if !(share >= 0 && share <= 1) { // so that NaN is wrong too
			c.failf("a share of Faults must be from 0 to 1, got %v", share)
			return
		}
		sum += share
	}
	switch {
	case sum > 1:
		c.failf("the shares of Faults add up to %v, more than 1", sum)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		c.failf("the status of Faults must be from 400 to 599, got %d", f.Status)
	case f.StallFor < 0:
		c.failf("StallFor must not be negative, got %v", f.StallFor)
	}
	c.faults = f
}

// A fault is what goes wrong with one request.
type fault int

const (
	none fault = iota
	shed
	reset
	truncate
	stall
)

func (f Faults) drawer() func() float64 { return rand.New(rand.NewPCG(f.Seed, 1)).Float64 }

func (f Faults) any() bool { return f.Shed+f.Reset+f.Truncate+f.Stall > 0 }

// pick returns the fault that a number from 0 to 1 stands for.
func (f Faults) pick(x float64) fault {
	for i, share := range []float64{f.Shed, f.Reset, f.Truncate, f.Stall} {
		if x < share {
			return shed + fault(i)
		}
		x -= share
	}
	return none
}

// serve answers a request with which something goes wrong.
func (f Faults) serve(w http.ResponseWriter, r *http.Request, what fault, api http.Handler) {
	switch what {
	case shed, reset:
		if !f.Counted {
			f.fail(w, what)
			return
		}
	case stall:
		if f.StallFor == 0 {
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
		if !wait(r.Context(), f.StallFor) {
			panic(http.ErrAbortHandler)
		}
	case truncate:
		whole := &buffer{header: w.Header(), status: http.StatusOK}
		api.ServeHTTP(whole, r)
		whole.cutOff(w)
	}
	api.ServeHTTP(w, r)
}

// fail sheds a request or breaks its connection.
func (f Faults) fail(w http.ResponseWriter, what fault) {
	if what == reset {
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 {
		f.Status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, `{"error":"unavailable"}`+"\n") // an error means that the client has gone
}

// handler answers the requests that the limits admitted.
func (f Faults) handler(next http.Handler) http.Handler {
	if next == nil {
		next = http.HandlerFunc(ok)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if what := noted(r.Context()).fault; what == shed || what == reset {
			f.fail(w, what)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok":true}`+"\n") // an error means that the client has gone
}

// buffer is an http.ResponseWriter that keeps the response.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.header }
func (b *buffer) WriteHeader(status int)      { b.status = status }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }

// cutOff sends half of the response, and breaks the connection.
func (b *buffer) cutOff(w http.ResponseWriter) {
	w.Header().Set("Content-Length", strconv.Itoa(b.body.Len()+1))
	w.WriteHeader(b.status)
	_, _ = w.Write(b.body.Bytes()[:b.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// wait waits for d, and reports whether ctx lasted that long.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
