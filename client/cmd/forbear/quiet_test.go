package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Memory is given back once after requests, when no more come.
func TestGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var requests, released atomic.Int64
		go giveBack(ctx, &requests, func() { released.Add(1) })
		wait := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		wait(time.Minute)
		require.Zero(t, released.Load(), "none came")
		for range 60 {
			requests.Add(1)
			wait(time.Second)
		}
		require.Zero(t, released.Load(), "they still come")
		wait(11 * time.Second)
		require.EqualValues(t, 1, released.Load())
		wait(time.Hour)
		require.EqualValues(t, 1, released.Load())
		requests.Add(1)
		wait(11 * time.Second)
		require.EqualValues(t, 2, released.Load())
	})
}
