//go:build !race

package backoff

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The race detector makes allocations of its own.
func TestDecidingAllocatesNothing(t *testing.T) {
	s := strategy(t, nil)
	refused := Attempt{Number: 1, Request: request(t, "POST", "x"), Response: response(429), Wait: time.Second, WaitKnown: true}
	failed := Attempt{Number: 1, Request: request(t, "GET", ""), Response: response(503)}
	passed := Attempt{Number: 1, Request: request(t, "GET", ""), Response: response(200)}
	var budget Budget
	for name, f := range map[string]func(){
		"delay":         func() { defaultPolicy{}.Delay(3, time.Second) },
		"server's wait": func() { ServerWait(time.Minute) },
		"refused":       func() { s.Next(start, refused, &budget) },
		"failed":        func() { s.Next(start, failed, nil) },
		"checked":       func() { DefaultCheck(passed) },
		"budget":        func() { budget.Request(start); budget.Retry(start) },
	} {
		assert.Zero(t, testing.AllocsPerRun(100, f), name)
	}
}
