package lab

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// A Point is one request that arrived at the server, at a time from the start on.
type Point struct {
	At      time.Duration
	Refused bool
}

// A run is one scenario with one client.
type run struct {
	Scenario
	client peer.Client
	server *apiserver.Server
	start  time.Time
	points []Point
}

// Run tries a client in a scenario. It must be called in a testing/synctest bubble.
// The points are all requests in the order in which they arrived.
func Run(ctx context.Context, s Scenario, c peer.Client) (Row, []Point, error) {
	r := &run{Scenario: s.defaults(), client: c}
	var err error
	if r.server, err = r.Server(); err != nil {
		return Row{}, nil, err
	}
	r.start = simnet.Into(time.Now().Add(24*time.Hour), 24*time.Hour, into)
	tallies, err := r.load(ctx)
	if err != nil {
		return Row{}, nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	row := r.row(tallies)
	<-time.After(48 * time.Hour) // until whatever a client left behind has ended
	return row, r.points, nil
}

func (r *run) until() time.Time { return r.start.Add(r.Span - into) }

// observed notes requests as they arrive.
type observed struct {
	*run
	http.Handler
}

func (o observed) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status := &statusWriter{ResponseWriter: w}
	o.Handler.ServeHTTP(status, req)
	o.points = append(o.points, Point{At: time.Since(o.start), Refused: status.code == http.StatusTooManyRequests})
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// load puts the load on the server and returns what each caller saw.
func (r *run) load(ctx context.Context) ([]tally, error) {
	network := newWire(&locked{h: observed{r, r.server}}, r.Least, r.Most)
	senders, err := r.senders(network)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, time.Until(r.start)); err != nil {
		return nil, err
	}
	// Cancelled by a timer rather than a deadline, which a client could see coming.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(time.Until(r.until()), cancel).Stop()
	if r.Arrivals != nil {
		return r.open(ctx, senders), nil
	}
	return r.closed(ctx, senders), nil
}

// A sender is a client, and the key of which it sends requests.
type sender struct {
	rt  http.RoundTripper
	key string
}

// senders makes the clients: one for each process, or for each process and key.
func (r *run) senders(base http.RoundTripper) ([]sender, error) {
	var all []sender
	for range r.Processes {
		var rt http.RoundTripper
		for _, key := range r.Keys {
			if rt == nil || !r.client.Keyed {
				var err error
				if rt, err = r.client.New(peer.Setting{Base: base, Rate: r.Rate, Window: r.Window}); err != nil {
					return nil, err
				}
			}
			all = append(all, sender{rt, key})
		}
	}
	return all, nil
}

// closed has the callers of each sender send one request after the other.
func (r *run) closed(ctx context.Context, senders []sender) []tally {
	var callers sync.WaitGroup
	tallies := make([]tally, len(senders)*r.Callers)
	for i := range tallies {
		c := newCaller(seed, uint64(i))
		callers.Go(func() {
			_ = sleep(ctx, c.between(0, 50*time.Millisecond)) // no two begin at once
			for ctx.Err() == nil {
				tallies[i].send(ctx, r, c, senders[i/r.Callers], r.start.Add((r.Span-into)/2))
			}
		})
	}
	callers.Wait()
	return tallies
}

// open has one request sent at each arrival, by the senders in turn.
func (r *run) open(ctx context.Context, senders []sender) []tally {
	var callers sync.WaitGroup
	tallies := make([]tally, len(r.Arrivals))
	for i, at := range r.Arrivals {
		c := newCaller(seed, uint64(i))
		callers.Go(func() {
			if sleep(ctx, at) == nil {
				tallies[i].send(ctx, r, c, senders[i%len(senders)], r.until())
			}
		})
	}
	callers.Wait()
	return tallies
}

// seed makes runs repeatable.
const seed = 1

// possible is how many requests somebody who knows everything could have had
// admitted.
func (r *run) possible() int {
	total := 0
	for _, key := range r.Keys {
		m := r.server.Fresh(r.server.KeyOf(r.request(context.Background(), key)))
		if r.Arrivals != nil {
			total += serveArrivals(m, r.start, r.until(), r.Arrivals)
			continue
		}
		n := ratemodel.Greedy(m, r.start, r.until(), 0)
		total += min(n, math.MaxInt-total)
	}
	return total
}

// serveArrivals returns how many of the arrivals are admitted before the end when
// each goes as soon as it may.
func serveArrivals(m ratemodel.Model, start, until time.Time, arrivals []time.Duration) int {
	n, now := 0, start
	for _, at := range arrivals {
		if t := start.Add(at); t.After(now) {
			now = t
		}
		if now = m.Next(now); !now.Before(until) || !m.Admit(now) {
			break
		}
		n++
	}
	return n
}

// locked serves one request at a time, in the order in which they arrive.
type locked struct {
	mu sync.Mutex
	h  http.Handler
}

func (l *locked) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.h.ServeHTTP(w, req)
}
