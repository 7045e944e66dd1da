package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
)

// A fetcher gets items from an API.
type fetcher struct {
	client  *http.Client
	url     string
	fetched atomic.Int64 // items that have come
}

// fetch gets the items 1 to n, several at once. The first failure ends it.
func (f *fetcher) fetch(ctx context.Context, n, callers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for id := taken.Add(1); id <= int64(n) && ctx.Err() == nil; id = taken.Add(1) {
				if err := f.item(ctx, id); err != nil {
					cancel(err)
					return
				}
				f.fetched.Add(1)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// item gets one item, as any program does: of limits it knows nothing.
func (f *fetcher) item(ctx context.Context, id int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/items/%d", f.url, id), nil)
	if err != nil {
		return err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("item %d: %s", id, resp.Status)
	}
	var got item
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return fmt.Errorf("item %d: %w", id, err)
	}
	if got.ID != id {
		return fmt.Errorf("item %d: the API sent item %d", id, got.ID)
	}
	return nil
}
