package queue

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The garbage collector frees an unreferenced queue at once, also if it has keys and a running timer.
func TestALineThatNobodyHoldsIsFreed(t *testing.T) {
	for _, held := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var line weak.Pointer[Queue]
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			func() {
				l := newLine(t, WithRule(Rule{Limits: []Quota{PerDay(1)}}))
				line = weak.Make(l)
				p, err := l.Acquire(ctx, &Request{Key: "k"})
				require.NoError(t, err)
				p.Release()
				if !held {
					short, end := context.WithTimeout(ctx, time.Minute)
					defer end()
					_, err = l.Acquire(short, &Request{Key: "k"})
					require.Error(t, err)
					return
				}
				go func() { _, _ = l.Acquire(ctx, &Request{Key: "k"}) }() // waits for a day
				synctest.Wait()
			}()
			runtime.GC()
			runtime.GC()
			assert.Equal(t, held, line.Value() != nil, "somebody waits: %v", held)
		})
	}
}
