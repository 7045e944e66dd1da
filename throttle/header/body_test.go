package header

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestBodyWait shows every way in which a body tells the wait.
func TestBodyWait(t *testing.T) {
	const none = -1
	for body, want := range map[string]time.Duration{
		`{"retry_after": 42}`:                                                            42 * time.Second,
		`{"retry_after": 64.57, "global": false}`:                                        64570 * time.Millisecond,
		`{"retry_after": "2026-03-01T12:00:09Z"}`:                                        9 * time.Second,
		`{"error":{"retryAfter":"9"}}`:                                                   9 * time.Second,
		`{"retry-after-seconds": 9}`:                                                     9 * time.Second,
		`{"retry_after_ms": 2500}`:                                                       2500 * time.Millisecond,
		`{"ok":false,"parameters":{"retry_after":30}}`:                                   30 * time.Second,
		`{"error":{"details":[{"retryDelay":"57.2s"}]}}`:                                 57200 * time.Millisecond,
		`{"error":{"resets_at":1772366500,"resets_in_seconds":90}}`:                      100 * time.Second,
		`{"reset_at":"2026-03-01T12:00:09Z"}`:                                            9 * time.Second,
		`{"ThrottleSeconds":5}`:                                                          5 * time.Second,
		`{"ThrottleSeconds":0}`:                                                          none,
		`{"a":1,"retry_after":9,"broken":`:                                               9 * time.Second, // cut off
		`[{"retry_after":9}]`:                                                            9 * time.Second,
		`{"message":"Rate limit is exceeded. Try again in 2 seconds."}`:                  2 * time.Second,
		`{"message":"Out of call volume quota. Quota will be replenished in 02:12:08."}`: 2*time.Hour + 12*time.Minute + 8*time.Second,
		`{"description":"Too Many Requests: retry after 30"}`:                            30 * time.Second,
		`{"error":{"message":"Please try again in 1m2.5s."}}`:                            62500 * time.Millisecond,
		`{"detail":"Request was throttled. Expected available in 3472 seconds."}`:        3472 * time.Second,
		`{"message":"Please wait a few minutes before you try again."}`:                  time.Minute,
		"Too many requests, retry in 1 minute":                                           time.Minute,
		`{"message":"limited to 20 API calls / minute"}`:                                 none,
		`{"retry_after": -5}`:                                                            none,
		`{"retry_after": "4406000000"}`:                                                  none,
		`{"retry_after": null}`:                                                          none,
		`{"ErrorCode":4010,"AcmeDeveloperMessage":"API calls quota exceeded! Try again in 55 seconds."}`: 55 * time.Second,
		`{"retryAfter":{"seconds":12}}`:    12 * time.Second,
		`{"error":{"retry":{"after":12}}}`: 12 * time.Second,
		`{"retry_policy":{"seconds":12}}`:  none,
		`{"seconds_remaining":30}`:         30 * time.Second,
		`{"limits":[{"reset_in":1,"exceeded":false},{"reset_in":30,"exceeded":true},{"exceeded":false,"reset_in":500}]}`: 30 * time.Second,
		`{"limits":[{"reset_in":30,"exceeded":false}],"exceeded":false}`:                                                 none,
		`{"reset_in":30,"limits":[{"reset_in":500,"exceeded":false}]}`:                                                   30 * time.Second,
		`{"credits_remaining":0,"credits_reset":"2026-03-01T12:00:09Z"}`:                                                 9 * time.Second,
		`{"msBeforeNext":2500,"remainingPoints":0}`:                                                                      2500 * time.Millisecond,
		`{"retryInfo":{"delay":"9s"}}`:                                                                                   9 * time.Second,
		`{"error":"rate limited","ttl":9}`:                                                                               9 * time.Second,
		`{"cache":{"ttl":9}}`:                                                                                            none,
		`{"window_ends_at":"2026-03-01T12:00:09Z"}`:                                                                      9 * time.Second,
		`{"resetEpoch":1772366409}`:                                                                                      9 * time.Second,
		`{"period_end":"2026-03-01T12:00:09Z"}`:                                                                          none,
		`{"available_in": 9}`:                                                                                            9 * time.Second,
		`{"quota_available": 9}`:                                                                                         none,
		`{"api_credits_available": 9}`:                                                                                   none,
		`{"retry_credits": 9}`:                                                                                           none,
		`{"backoff": 5}`:                                                                                                 5 * time.Second,
		`{"data":{"backoff": 5}}`:                                                                                        none,
		"":                                                                                                               none,
		"{":                                                                                                              none,
		strings.Repeat("[", 1000):                                                                                        none,
		strings.Repeat(`{"a":`, 20) + `{"retry_after":1}`:                                                                none,
	} {
		var r Reading
		r.Read(http.StatusTooManyRequests, headerOf(), []byte(body), benchNow)
		if want == none {
			assert.False(t, r.Wait.Known(), body)
			continue
		}
		assert.True(t, r.Wait.Known() && r.Wait.Explicit, body)
		assert.Equal(t, want, r.Wait.Delay, body)
	}
}

// TestBodyWindows shows the limits that only bodies tell.
func TestBodyWindows(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		fields []string
		body   string
		want   string
	}{
		{"Stack Exchange", 200, nil, `{"items":[],"quota_max":10000,"quota_remaining":9999}`, "[default 10000 9999 -]"},
		{"Stack Exchange, deep inside", 200, nil, `{"items":[{"quota_max":10000}]}`, "[]"},
		{"Shopify", 200, nil, `{"extensions":{"cost":{"requestedQueryCost":3,"throttleStatus":` +
			`{"maximumAvailable":1000.0,"currentlyAvailable":997,"restoreRate":50.0}}}}`, "[default 1000 997 - unit=points]"},
		{"a header quoted in an error", 429, nil, `{"error":{"headers":{"X-RateLimit-Limit":"1000","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"60"}}}`,
			"[default 1000 0 - @1m0s]"},
		{"a header quoted in a success", 200, nil, `{"X-RateLimit-Limit":"1000"}`, "[]"},
		{"violated policies", 429, []string{"RateLimit-Policy", `"a";q=10;w=60, "b";q=9;w=60`, "RateLimit", `"a";t=5`},
			`{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","violated-policies":["a"]}`,
			"[a 10 0 - @5s len=1m0s b 9 - - len=1m0s]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Reading
			r.Read(tt.status, headerOf(tt.fields...), []byte(tt.body), benchNow)
			var got []string
			for _, w := range r.Windows {
				got = append(got, brief(w))
			}
			assert.Equal(t, tt.want, fmt.Sprint(got))
		})
	}
}

// A query that was refused fits as soon as what it lacks is there.
func TestShopifyWait(t *testing.T) {
	body := `{"errors":[{"extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":%v,` +
		`"throttleStatus":{"maximumAvailable":1000,"currentlyAvailable":100,"restoreRate":%v}}}}`
	for _, tt := range []struct {
		asked, rate string
		want        time.Duration
		known       bool
	}{
		{"500", "50", 8 * time.Second, true},
		{"50", "50", 0, false},
		{"500", "0", 0, false},
		{"1e300", "50", 0, false},
		{"500", "0.0000001", 0, false},
	} {
		var r Reading
		r.Read(http.StatusOK, headerOf(), fmt.Appendf(nil, body, tt.asked, tt.rate), benchNow)
		assert.True(t, r.Refused)
		assert.Equal(t, tt.rate == "50", r.Windows[0].PerSecond == 50)
		assert.Equal(t, tt.known, r.Wait.Known(), "%+v", tt)
		assert.Equal(t, tt.want, r.Wait.Delay, "%+v", tt)
	}
}
