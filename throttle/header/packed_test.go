package header

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestPacked shows values that hold more than a count: several counts, what they are of, and
// their periods.
func TestPacked(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines string
		want  []string
	}{
		{"a bucket and its rate", "X-RateLimit-Limit: burst:50;rate:5\nX-RateLimit-Remaining: 42\nX-RateLimit-Reset: 2", []string{"default 50 42 - @2s"}},
		{"a rate and its bucket", "X-RateLimit-Limit: rate=5, burst=50\nX-RateLimit-Remaining: 42", []string{"default 50 42 -"}},
		{"a bucket below the rest", "X-RateLimit-Limit: burst:50;rate:5\nX-RateLimit-Remaining: 420", []string{"default ? 420 -"}},
		{"a number of periods", "X-RateLimit-Limit: 90 per 1 minute\nX-RateLimit-Remaining: 9", []string{"default 90 9 - len=1m0s"}},
		{"more than one period", "X-RateLimit-Limit: 90 requests per 10 seconds\nX-RateLimit-Remaining: 9", []string{"default 90 9 - len=10s unit=requests"}},
		{"a number without a period", "X-RateLimit-Limit: 90 per 10\nX-RateLimit-Remaining: 9", []string{"default ? 9 -"}},
		{"letters for the period", "X-RateLimit-Limit: 90rpm\nX-RateLimit-Remaining: 9", []string{"default 90 9 - len=1m0s"}},
		{"letters that mean nothing", "X-RateLimit-Limit: 90abc\nX-RateLimit-Remaining: 9", []string{"default ? 9 -"}},
		{"a thousand", "X-RateLimit-Limit: 12,000\nX-RateLimit-Remaining: 11,098", []string{"default 12000 11098 -"}},
		{"two numbers", "X-RateLimit-Limit: 12,200\nX-RateLimit-Remaining: 11,150", []string{"default 12 11 -", "default#2 200 150 -"}},
		{"rest and limit in a pair", "X-RateLimit: remaining=8/9, reset=30", []string{"default 9 8 - @30s"}},
		{"rest out of limit", "X-RateLimit-Remaining: 8 out of 9", []string{"default 9 8 -"}},
		{"use and limit with spaces", "X-RateLimit-Usage: 1 / 9", []string{"default 9 8 1"}},
		{"pairs behind info", "X-RateLimit-Info: limit=9, remaining=8, reset=30", []string{"default 9 8 - @30s"}},
		{"a number behind info", "X-RateLimit-Info: 3", nil},
		{"pairs behind status, with spaces", "X-RateLimit-Status: limit=9 remaining=8 reset=30", []string{"default 9 8 - @30s"}},
		{"a word behind status", "X-RateLimit-Status: ok", nil},
		{"periods by name in each field", "X-RateLimit-Limit: minute=9, day=90\nX-RateLimit-Remaining: minute=8, day=80",
			[]string{"minute 9 8 - len=1m0s", "day 90 80 - len=24h0m0s"}},
		{"objects in a list", `X-RateLimit: [{"name":"minute","limit":9,"remaining":8},{"name":"day","limit":90,"remaining":80}]`,
			[]string{"minute 9 8 - len=1m0s", "day 90 80 - len=24h0m0s"}},
		{"objects by name", `X-RateLimit: {"minute":{"limit":9,"remaining":8},"day":{"limit":90,"remaining":80,"reset":1772370000}}`,
			[]string{"minute 9 8 - len=1m0s", "day 90 80 - @2026-03-01T13:00:00Z len=24h0m0s"}},
		{"a policy in words", "X-RateLimit-Limit: 9\nX-RateLimit-Remaining: 8\nX-RateLimit-Policy: 9 per minute", []string{"default 9 8 - len=1m0s"}},
		{"a policy with a slash", "X-RateLimit-Limit: 9\nX-RateLimit-Remaining: 8\nX-RateLimit-Policy: 9/hour", []string{"default 9 8 - len=1h0m0s"}},
		{"a share beside the counts", "X-RateLimit-Limit: 90\nX-RateLimit-Remaining: 45\nX-RateLimit-Percent-Used: 50", []string{"default 90 45 -"}},
		{"a share beside a reset", "X-RateLimit-Percent-Used: 50\nX-RateLimit-Reset: 30", []string{"default 100 50 50 @30s unit=percent"}},

		{"the end of the window", "X-RateLimit-Limit: 9\nX-RateLimit-Remaining: 8\nX-RateLimit-Window-End: 1772366430", []string{"default 9 8 - @2026-03-01T12:00:30Z"}},
		{"time to the reset", "X-RateLimit-Remaining: 8\nX-RateLimit-Seconds-To-Reset: 30", []string{"default - 8 - @30s"}},
		{"an expiration", "X-RateLimit-Remaining: 8\nX-RateLimit-Expiration: 30", []string{"default - 8 - @30s"}},
		{"a limit per", "X-RateLimit-Limit: 9\nX-RateLimit-Remaining: 8\nX-RateLimit-Per: hour", []string{"default 9 8 - len=1h0m0s"}},
		{"the length of an interval", "X-RateLimit-Limit: 9\nX-RateLimit-Remaining: 8\nX-RateLimit-Interval-Length: 30", []string{"default 9 8 - len=30s"}},
		{"hits and a ceiling", "X-RateLimit-Hits: 1\nX-RateLimit-Ceiling: 9", []string{"default 9 8 1"}},
		{"a year", "X-RateLimit-Annual-Limit: 9\nX-RateLimit-Annual-Remaining: 8", []string{"annual 9 8 - len=8760h0m0s"}},
		{"a quota of a month and its use", "X-Monthly-Quota: 9\nX-Monthly-Usage: 1", []string{"monthly-quota 9 8 1 len=720h0m0s"}},
		{"requests beside a rest", "X-RateLimit-Requests: 9\nX-RateLimit-Remaining: 8", []string{"default 9 8 - unit=requests"}},
		{"requests beside a larger rest", "X-RateLimit-Requests: 9\nX-RateLimit-Remaining: 80", []string{"default - 80 -"}},
		{"how much of a limit is in use", "Api-Key-Max-Limit: 9\nApi-Key-Use-Limit: 2", []string{"api-key 9 7 2"}},
		{"a limit of fair use", "X-Api-Fair-Use-Limit: 9", nil},
		{"a use under the stem alone", "X-RateLimit: 2\nX-RateLimit-Remaining: 7", []string{"default - 7 2"}},
		{"a list of uses under the stem alone", "X-RateLimit: 2, 5\nX-RateLimit-Remaining: 7, 95\nX-RateLimit-Reset: 30, 900",
			[]string{"default - 7 2 @30s", "default#2 - 95 5 @15m0s"}},
		{"a list of limits under the stem alone", "X-RateLimit: 9, 100\nX-RateLimit-Remaining: 7, 95", []string{"default 9 7 -", "default#2 100 95 -"}},
		{"what a response took", "X-Token-Usage-Input: 5\nX-Token-Usage-Output: 7\nX-Token-Usage-Total: 12", nil},
		{"how long a response is valid", "X-Valid-Until: 1772366430", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, windowsOf(200, tt.lines))
		})
	}
}
