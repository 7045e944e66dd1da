package main

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// quietAfter is how long no request must come until the proxy gives memory back.
const quietAfter = 5 * time.Second

// giveBack calls release whenever requests have come and then none for a while, until ctx
// ends. The runtime collects garbage as memory is allocated, so that a proxy of many idle
// connections would keep twice what it needs.
func giveBack(ctx context.Context, requests *atomic.Int64, release func()) {
	tick := time.NewTicker(quietAfter)
	defer tick.Stop()
	var seen, released int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := requests.Load()
		if now == seen && now != released {
			release()
			released = now
		}
		seen = now
	}
}

// releaseMemory collects twice, as the first halves the stacks that were deep.
func releaseMemory() {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
}
