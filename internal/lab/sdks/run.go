package sdks

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/internal/simnet"
)

// RowsFile is where the rows are, from the folder of the lab.
const RowsFile = "testdata/sdks.json"

// A Row is what came of the calls through an SDK.
type Row struct {
	SDK   string `json:"sdk"`
	Setup Setup  `json:"setup"`
	Calls int    `json:"calls"`
	// Failed is how many calls ended with an error, or the wrong result.
	Failed int `json:"failed"`
	// Requests is how many arrived, and Refused how many of them were refused.
	Requests int `json:"requests"`
	Refused  int `json:"refused"`
	// Took is the time that all calls took, in seconds.
	Took float64 `json:"took_s"`
	// Down and Closed are how many requests one call makes to a server that always
	// fails, and to one that always refuses.
	Down   int `json:"down"`
	Closed int `json:"closed"`
}

const (
	callers = 20
	// into is where in an hour the calls begin.
	into = 20 * time.Minute
)

// Run makes the calls of an SDK by twenty callers. It must be called in a
// testing/synctest bubble. The errors are those of the calls.
func Run(ctx context.Context, sdk SDK, s Setup) (Row, []error, error) {
	api := sdk.server()
	call, err := sdk.connect(&http.Client{Transport: simnet.New(api, 1)}, s)
	if err != nil {
		return Row{}, nil, fmt.Errorf("%s: %w", sdk.Name, err)
	}
	if err := until(ctx, simnet.Into(time.Now(), time.Hour, into)); err != nil {
		return Row{}, nil, err
	}
	began := time.Now()
	errs := crowd(ctx, sdk.Calls, call)
	row := Row{SDK: sdk.Name, Setup: s, Calls: sdk.Calls, Failed: len(errs), Took: time.Since(began).Seconds()}
	row.Requests, row.Refused = api.counts()
	if row.Down, err = one(ctx, sdk, s, func(api *server) { api.down = true }); err != nil {
		return row, errs, err
	}
	row.Closed, err = one(ctx, sdk, s, func(api *server) { api.closed = 2 * time.Second })
	return row, errs, err
}

// crowd makes n calls, and returns the errors.
func crowd(ctx context.Context, n int, call Call) []error {
	var all sync.WaitGroup
	var next atomic.Int64
	var mu sync.Mutex // guards errs
	var errs []error
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := call(ctx, i); err != nil {
					mu.Lock()
					errs = append(errs, fmt.Errorf("call %d: %w", i, err))
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return errs
}

// one returns how many requests one call makes to a server that is so changed that it
// never succeeds.
func one(ctx context.Context, sdk SDK, s Setup, change func(*server)) (int, error) {
	api := sdk.server()
	change(api)
	call, err := sdk.connect(&http.Client{Transport: simnet.New(api, 1)}, s)
	if err != nil {
		return 0, err
	}
	if call(ctx, 0) == nil {
		return 0, fmt.Errorf("%s: a call succeeded that cannot", sdk.Name)
	}
	requests, _ := api.counts()
	return requests, nil
}

func until(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
