//go:build !race

package header

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
)

// Reading the dialects that most servers speak costs no allocation. Under the
// race detector allocations are counted differently.
func TestNoAllocations(t *testing.T) {
	all := map[string]http.Header{
		"Kong": typical("RateLimit-Limit", "60", "RateLimit-Remaining", "59", "RateLimit-Reset", "17",
			"X-RateLimit-Limit-Minute", "60", "X-RateLimit-Remaining-Minute", "59",
			"X-RateLimit-Limit-Hour", "1000", "X-RateLimit-Remaining-Hour", "940"),
		"durations": typical("X-RateLimit-Limit-Requests", "60", "X-RateLimit-Remaining-Requests", "59", "X-RateLimit-Reset-Requests", "6m0s"),
		"instants": typical("Anthropic-RateLimit-Requests-Limit", "60", "Anthropic-RateLimit-Requests-Remaining", "59",
			"Anthropic-RateLimit-Requests-Reset", "2026-03-01T12:00:30Z"),
		"Envoy":  typical("X-RateLimit-Limit", "10, 10;w=1, 100;w=60", "X-RateLimit-Remaining", "9", "X-RateLimit-Reset", "1"),
		"GitHub": typical("X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "59", "X-RateLimit-Used", "1", "X-RateLimit-Reset", "1772367000", "X-RateLimit-Resource", "core"),
		"Discord": typical("X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "59", "X-RateLimit-Reset", "1772367000.123",
			"X-RateLimit-Reset-After", "64.57", "X-RateLimit-Bucket", "abcd1234"),
		"Brave": typical("X-RateLimit-Limit", "1, 15000", "X-RateLimit-Policy", "1;w=1, 15000;w=2592000",
			"X-RateLimit-Remaining", "1, 1000", "X-RateLimit-Reset", "1, 1419704"),
		"refusal": typical("Retry-After", "30", "X-RateLimit-Remaining", "0"),
	}
	maps.Copy(all, benchHeaders)
	for name, h := range all {
		names.Forget() // what other tests and servers left may take the room of two names of this one
		for _, status := range []int{http.StatusOK, http.StatusTooManyRequests} {
			var rd Reader
			var r Reading
			assert.Zero(t, testing.AllocsPerRun(20, func() { r.Read(status, h, nil, benchNow) }), "Reading.Read: %s, %d", name, status)
			if status == http.StatusOK {
				assert.Zero(t, testing.AllocsPerRun(20, func() { rd.Read(&r, status, h, nil, benchNow) }), "Reader.Read: %s", name)
			}
			assert.Zero(t, testing.AllocsPerRun(20, func() { NeedsBody(status, h) }), "NeedsBody: %s", name)
		}
	}
}
