package fleets

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/client/fleet"
)

// RowsFile has what came of the cases, from the folder of the lab.
const RowsFile = "testdata/fleets.json"

// A Row is what came of a case.
type Row struct {
	Case    string  `json:"case"`
	Fleet   bool    `json:"fleet"`
	Served  int     `json:"served"`
	Refused int     `json:"refused"`
	Used    float64 `json:"used"`  // part of what there was
	Least   float64 `json:"least"` // what the least process had, beside an equal part
	Calls   float64 `json:"calls"` // to the store, a request
}

// pass lets some time pass.
func pass(d time.Duration) { <-time.After(d) }

// A store takes some time, and is away or forgets when it is told to.
type store struct {
	fleet.Memory
	trip  time.Duration
	calls atomic.Int64
	away  atomic.Bool
}

func (s *store) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	s.calls.Add(1)
	pass(s.trip / 2)
	if s.away.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	reply, err := s.Memory.Exchange(ctx, key, report)
	pass(s.trip / 2)
	return reply, err
}

// suffer has the trouble of a case happen, some time after the fleet found out when windows open.
func (s *store) suffer(t trouble) {
	pass(7100 * time.Millisecond)
	if t.forgets {
		s.Flush()
	}
	if t.away > 0 {
		s.away.Store(true)
		pass(t.away)
		s.away.Store(false)
	}
}

// Run plays a case, within a bubble of testing/synctest.
func Run(ctx context.Context, c Case, shared bool) (Row, error) {
	api := clienttest.NewInMemory(append(c.limits, clienttest.Latency(20*time.Millisecond, 40*time.Millisecond))...)
	defer api.Close()
	pass(late)
	s := &store{trip: max(c.trouble.trip, 300*time.Microsecond)}
	ctx, cancel := context.WithTimeout(ctx, c.lasts-late)
	defer cancel()
	done := make([]int, c.members)
	var mu sync.Mutex
	var all sync.WaitGroup
	var fleets []*fleet.Fleet
	for i := range c.members {
		opts := []client.Option{client.WithRetries(0)}
		if shared {
			f, err := fleet.New(s, []byte("0123456789abcdef"))
			if err != nil {
				return Row{}, err
			}
			fleets, opts = append(fleets, f), append(opts, client.WithFleet(f))
		}
		hc, err := client.Wrap(api.Client(), opts...)
		if err != nil {
			return Row{}, err
		}
		n, think := c.callers(i)
		for range n {
			all.Go(func() {
				served := call(ctx, hc, api.URL, think)
				mu.Lock()
				defer mu.Unlock()
				done[i] += served
			})
		}
	}
	if c.trouble.away > 0 || c.trouble.forgets {
		s.suffer(c.trouble)
	}
	all.Wait()
	for _, f := range fleets {
		if err := f.Close(context.WithoutCancel(ctx)); err != nil {
			return Row{}, err
		}
	}
	return row(c, api.Counts(), done, s.calls.Load(), shared), nil
}

func row(c Case, n clienttest.Counts, done []int, calls int64, shared bool) Row {
	least, sum := done[0], 0
	for _, d := range done {
		least, sum = min(least, d), sum+d
	}
	return Row{
		Case: c.ID, Fleet: shared, Served: n.Admitted, Refused: n.Refused,
		Used:  round(float64(n.Admitted) / float64(c.most(c.lasts))),
		Least: round(float64(least*c.members) / float64(max(sum, 1))),
		Calls: round(float64(calls) / float64(max(n.Admitted+n.Refused, 1))),
	}
}

func round(x float64) float64 { return float64(int(x*10000+.5)) / 10000 }

// call calls the API until the context is over, and returns how often it was served.
func call(ctx context.Context, hc *http.Client, url string, think time.Duration) (served int) {
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return served
		}
		pause := think
		switch resp, err := hc.Do(req); {
		case err != nil:
			pause = 100 * time.Millisecond
		default:
			_ = resp.Body.Close() // it is short
			if resp.StatusCode == http.StatusOK {
				served++
			}
		}
		if pause > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
	return served
}
