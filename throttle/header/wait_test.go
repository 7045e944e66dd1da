package header

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// header makes a header of names and values in turn.
func headerOf(more ...string) http.Header {
	h := http.Header{"Date": {"Sun, 01 Mar 2026 12:00:00 GMT"}}
	for i := 0; i < len(more); i += 2 {
		h.Add(more[i], more[i+1])
	}
	return h
}

// TestRetryAfter shows every notation of an explicit wait, on a refusal.
func TestRetryAfter(t *testing.T) {
	const none = -1
	for _, tt := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "120", 2 * time.Minute},
		{"Retry-After", "0", 0},
		{"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After", "331775", 331775 * time.Second},
		{"Retry-After", "Sun, 01 Mar 2026 12:00:07 GMT", 7 * time.Second},
		{"Retry-After", "Sun, 01 Mar 2026 12:00:07 UTC", 7 * time.Second},
		{"Retry-After", "Sunday, 01-Mar-26 12:00:07 GMT", 7 * time.Second},
		{"Retry-After", "Sun Mar  1 12:00:07 2026", 7 * time.Second},
		{"Retry-After", "Sun, 01 Mar 2026 11:59:00 GMT", 0}, // has passed
		{"Retry-After", "2026-03-01T12:00:07Z", 7 * time.Second},
		{"Retry-After", "1m0s", time.Minute},
		{"Retry-After", "1772366407", 7 * time.Second}, // an epoch
		{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT", maxDelay},
		{"Retry-After-Short", "3", 3 * time.Second},
		{"Retry-After-Ms", "2500", 2500 * time.Millisecond},
		{"X-Ms-Retry-After-Ms", "50", 50 * time.Millisecond},
		{"X-Retry-In", "1.25s", 1250 * time.Millisecond},
		{"X-RateLimit-Retry-After", "30", 30 * time.Second},
		{"X-Throttle-Wait-Seconds", "9", 9 * time.Second},
		{"X-Backoff", "9", 9 * time.Second},
		{"X-Rate-Limited-For", "5", 5 * time.Second},
		{"X-Cooldown", "9", 9 * time.Second},
		{"X-Backoff-Time", "9", 9 * time.Second},
		{"X-Cooldown-Ms", "9", 9 * time.Millisecond},
		{"X-RateLimit-Backoff", "9", 9 * time.Second},
		{"X-RateLimit-Available-In", "9", 9 * time.Second},
		{"X-Retry-At", "2026-03-01T12:00:09Z", 9 * time.Second},
		{"X-Try-Again-In", "9", 9 * time.Second},
		{"X-Throttled-Until", "1772366409", 9 * time.Second},
		{"X-Penalty-Until", "1772366409", 9 * time.Second},
		{"X-Valid-Until", "1772366409", none},
		{"X-Retry-Count", "9", none},
		{"X-Wait-Time", "9", 9 * time.Second},
		{"X-RateLimit-Delay", "0.5", 500 * time.Millisecond},

		{"Retry-After", "5, 60", time.Minute}, // two lines joined
		{"Retry-After", "5, Sun, 01 Mar 2026 12:00:07 GMT", 7 * time.Second},

		{"Retry-After", "-1", none},
		{"Retry-After", "soon", none},
		{"Retry-After", "", none},
		{"Retry-After", "99999999", 99999999 * time.Second}, // three years, and never less
		{"Retry-After", "9223372037", maxDelay},             // more than a time.Duration holds
		{"Retry-After", "4406000000", maxDelay},             // the year 2109, or 139 years
		{"Retry-After", "99999999999999999999999", none},    // no number that can be read
		{"Retry-After-Ms", "bad", none},
	} {
		var r Reading
		r.Read(http.StatusTooManyRequests, headerOf(tt.name, tt.value), nil, benchNow)
		if tt.want == none {
			assert.False(t, r.Wait.Known(), "%s: %s", tt.name, tt.value)
			continue
		}
		assert.True(t, r.Wait.Known() && r.Wait.Explicit, "%s: %s", tt.name, tt.value)
		assert.Equal(t, tt.want, r.Wait.Delay, "%s: %s", tt.name, tt.value)
	}
}

// TestWait shows which wait is taken when there are several, or none.
func TestWait(t *testing.T) {
	for _, tt := range []struct {
		name     string
		status   int
		fields   []string
		body     string
		want     time.Duration
		known    bool
		explicit bool
	}{
		{"the longest explicit", 429, []string{"Retry-After-Short", "1", "Retry-After-Long", "1937"}, "", 1937 * time.Second, true, true},
		{"a bad one is absent", 429, []string{"Retry-After", "7", "Retry-After-Ms", "bad"}, "", 7 * time.Second, true, true},
		{"explicit before the reset", 429, []string{"Retry-After", "3", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "60"}, "",
			3 * time.Second, true, true},
		{"the last exhausted window", 429, []string{"X-RateLimit-Remaining-Minute", "0", "X-RateLimit-Reset-Minute", "9",
			"X-RateLimit-Remaining-Hour", "0", "X-RateLimit-Reset-Hour", "900", "X-RateLimit-Remaining-Day", "1", "X-RateLimit-Reset-Day", "9000"},
			"", 900 * time.Second, true, false},
		{"a reset without counts", 429, []string{"X-RateLimit-Reset", "60"}, "", time.Minute, true, false},
		{"none exhausted", 429, []string{"X-RateLimit-Remaining", "5", "X-RateLimit-Reset", "60"}, "", 0, false, false},
		{"an unlimited window does not hold", 429, []string{"X-RateLimit-Limit", "1, 0", "X-RateLimit-Remaining", "0, 0",
			"X-RateLimit-Reset", "1, 1419704"}, "", time.Second, true, false},
		{"body when no field tells", 429, nil, `{"retry_after": 30}`, 30 * time.Second, true, true},
		{"the exhausted window before the body", 429, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "60"}, `{"retry_after": 30}`,
			time.Minute, true, false},
		{"milliseconds told by the reset beside", 429, []string{"Retry-After", "60000", "X-RateLimit-Reset", "57", "X-RateLimit-Remaining", "0"}, "",
			time.Minute, true, true},
		{"seconds, however many", 429, []string{"Retry-After", "1337", "X-RateLimit-Reset-After", "64.57", "X-RateLimit-Remaining", "9"}, "",
			1337 * time.Second, true, true},
		{"no noise on a success", 200, []string{"Retry-After", "60"}, "", 0, false, false},
		{"meant on a success: Azure DevOps", 200, []string{"Retry-After", "30", "X-RateLimit-Delay", "0.5"}, "", 30 * time.Second, true, true},
		{"meant on a success: Zotero", 200, []string{"Backoff", "10"}, "", 10 * time.Second, true, true},
		{"a broken server may name one too", 502, []string{"Retry-After", "5"}, "", 5 * time.Second, true, true},
		{"too large, not too many", 413, []string{"Retry-After", "9"}, "", 9 * time.Second, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Reading
			r.Read(tt.status, headerOf(tt.fields...), []byte(tt.body), benchNow)
			assert.Equal(t, tt.known, r.Wait.Known())
			assert.Equal(t, tt.want, r.Wait.Delay)
			assert.Equal(t, tt.explicit, r.Wait.Explicit)
			assert.Equal(t, strings.HasPrefix(tt.name, "meant on a success"), r.Paused)
		})
	}
}

// Delays count from when the server made the response, by its own clock.
func TestClockSkew(t *testing.T) {
	late := benchNow.Add(270 * time.Second) // our clock is ahead
	h := headerOf("Retry-After", "Sun, 01 Mar 2026 12:00:05 GMT")
	var r Reading
	r.Read(http.StatusTooManyRequests, h, nil, late)
	assert.Equal(t, 5*time.Second, r.Wait.Delay)
	assert.Equal(t, benchNow, r.Date)
	assert.True(t, r.Wait.At.Equal(benchNow.Add(5*time.Second)), "the raw instant is kept")

	// Behind a cache, Date is when the copy was made.
	h.Set("Age", "100")
	r.Read(http.StatusTooManyRequests, h, nil, benchNow.Add(2*time.Second))
	assert.True(t, r.Stale)
	assert.Equal(t, 3*time.Second, r.Wait.Delay)

	h.Del("Age")
	h.Set("Date", "yesterday")
	r.Read(http.StatusTooManyRequests, h, nil, benchNow.Add(time.Second))
	assert.True(t, r.Date.IsZero())
	assert.Equal(t, 4*time.Second, r.Wait.Delay)
}

func TestStale(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		want        bool
	}{
		{"Age", "7", true}, {"Age", "0", false}, {"Age", "x", false}, {"X-From-Cache", "1", true},
		{"X-Cache", "Hit from cloudfront", true}, {"X-Cache", "MISS, HIT", true}, {"X-Cache", "MISS", false},
		{"Cf-Cache-Status", "HIT", true}, {"Cf-Cache-Status", "DYNAMIC", false},
	} {
		var r Reading
		r.Read(http.StatusOK, headerOf(tt.name, tt.value, "X-RateLimit-Remaining", "5"), nil, benchNow)
		assert.Equal(t, tt.want, r.Stale, "%s: %s", tt.name, tt.value)
		assert.Len(t, r.Windows, 1)
	}
}

func TestRefused(t *testing.T) {
	spent := []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "60"}
	for _, tt := range []struct {
		name   string
		status int
		fields []string
		body   string
		want   bool
	}{
		{"too many requests", 429, nil, "", true},
		{"too many requests, whatever is left", 429, []string{"X-RateLimit-Remaining", "5"}, "", true},
		{"enhance your calm", 420, nil, "", true},
		{"forbidden", 403, nil, "", false},
		{"forbidden, quota spent", 403, spent, "", true},
		{"forbidden, quota spent, in words", 403, spent, `{"message":"API rate limit exceeded for user ID 1"}`, true},
		{"forbidden, quota spent, no word on why", 403, spent, `{"message":"Forbidden"}`, true},
		{"forbidden, a signature", 403, spent, `{"message":"Signature expired: 20261129T080000Z is now earlier than 20261129T081500Z"}`, false},
		{"forbidden, the code of a signature", 403, spent, `<Error><Code>SignatureDoesNotMatch</Code></Error>`, false},
		{"forbidden, a token that ran out, and a limit", 403, spent, `{"message":"API rate limit exceeded for this token"}`, true},
		{"forbidden, quota left", 403, []string{"X-RateLimit-Remaining", "5"}, `{"message":"no access"}`, false},
		{"forbidden, come back later", 403, []string{"Retry-After", "30"}, "", true},
		{"forbidden, limit in words", 403, nil, `{"message":"You have exceeded a secondary rate limit."}`, true},
		{"forbidden, a limit of storage", 403, nil, `{"error":{"errors":[{"reason":"storageQuotaExceeded"}]}}`, false},
		{"unavailable", 503, nil, "", false},
		{"unavailable, come back later", 503, []string{"Retry-After", "30"}, "", true},
		{"unavailable, quota spent", 503, spent, "", true},
		{"unavailable, slow down", 503, nil, "<Error><Code>SlowDown</Code></Error>", true},
		{"overloaded", 529, nil, "", false},
		{"overloaded, come back later", 529, []string{"Retry-After", "30"}, "", true},
		{"teapot", 418, nil, "", false},
		{"teapot, banned for a while", 418, []string{"Retry-After", "30"}, "", true},
		{"payment required", 402, nil, "", false},
		{"payment required, quota that resets", 402, spent, "", true},
		{"payment required, quota that does not", 402, []string{"X-RateLimit-Remaining", "0"}, "", false},
		{"bad request, the last one of its window", 400, spent, "", false},
		{"bad request, limit in a code", 400, nil, `{"errors":[{"extensions":{"code":"RATELIMITED"}}]}`, true},
		{"bad request, Meta", 400, nil, `{"error":{"type":"OAuthException","code":80004}}`, true},
		{"too large", 413, []string{"Retry-After", "9"}, `{"error":{"code":"rate_limit_exceeded"}}`, false},
		{"accepted", 202, []string{"Retry-After", "9"}, "", false},
		{"redirect", 301, spent, "", false},
		{"not found", 404, []string{"Retry-After", "9"}, "", false},
		{"broken", 500, []string{"Retry-After", "9"}, "", false},
		{"success, limit in an error", 200, nil, `{"ok":false,"error":"ratelimited"}`, true},
		{"success, limit in GraphQL", 200, nil, `{"errors":[{"extensions":{"code":"THROTTLED"}}]}`, true},
		{"success, code 429", 200, nil, `{"code":429,"msg":"x"}`, true},
		{"success, Bybit", 200, nil, `{"retCode":10006,"retMsg":"Too many visits!"}`, true},
		{"success that speaks of limits", 200, nil, `{"title":"rate limit exceeded","items":[{"error":"ratelimited"}]}`, false},
		{"success, quota spent", 200, spent, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Reading
			r.Read(tt.status, headerOf(tt.fields...), []byte(tt.body), benchNow)
			assert.Equal(t, tt.want, r.Refused)
		})
	}
}

// A status that speaks of the server is told from one that speaks of the client.
func TestOverloaded(t *testing.T) {
	for status, want := range map[int]bool{503: true, 529: true, 429: false, 403: false, 418: false, 500: false, 200: false} {
		var r Reading
		r.Read(status, headerOf("Retry-After", "30"), nil, benchNow)
		assert.Equal(t, want, r.Overloaded(), "%d", status)
		r.Read(status, nil, nil, benchNow)
		assert.False(t, r.Overloaded(), "%d, no words", status)
	}
}

// TestMoreStatuses reads refusals with statuses that seldom mean one.
func TestMoreStatuses(t *testing.T) {
	const limit, invalid = "<f><faultcode>REQUEST_LIMIT_EXCEEDED</faultcode></f>", "<f><faultcode>INVALID_FIELD</faultcode></f>"
	for _, c := range []struct {
		status  int
		body    string
		refused bool
	}{
		{456, "", true},
		{456, `{"message":"Quota Exceeded"}`, true},
		{401, `{"Response":"False","Error":"Request limit reached!"}`, true},
		{401, `{"error":{"code":"RATE_LIMITED"}}`, true},
		{401, `{"error":"invalid_token"}`, false},
		{401, "", false},
		{402, `{"message":"You have reached the limit.","reason":"MONTHLY_REQUEST_COUNT"}`, true},
		{402, `{"message":"You have reached the limit."}`, false},
		{403, "<h1>Developer Over Qpm</h1>", true},
		{400, `{"error":"concurrency_limit_reached"}`, true},
		{403, `{"error":"Límite de solicitudes excedido. Intenta en unos segundos."}`, true},
		{403, `{"erro":"x","message":"O limite de requisições foi atingido"}`, true},
		{403, `{"message":"La limite de requêtes est dépassée"}`, true},
		{403, `{"error":"请求过于频繁，请15分钟后再试"}`, true}, //nolint:gosmopolitan // servers write in their own language
		{403, `{"error":"文件过大，请15分钟后再试"}`, false},  //nolint:gosmopolitan // the same
		{403, `{"error":"Token limit exceeded"}`, true},
		{400, `{"error":"Token limit exceeded"}`, false}, // of one request
		{403, `{"error":"Token limit exceeded for this section"}`, false},
		{500, limit, true},
		{500, invalid, false},
		{500, "<f><faultcode>soap:Server</faultcode><faultstring>Too many requests</faultstring></f>", true},
		{500, "<f><faultcode>soap:Server</faultcode><faultstring>Too many rows in the result</faultstring></f>", false},
		{500, "<f><faultcode>soap:Server</faultcode><detail>Too many requests</detail></f>", false},
		{500, `{"error":"Rate limit exceeded"}`, false},
		{502, limit, false},
		{999, "", true},
		{425, `{"message":"Too many requests"}`, true},
		{425, `{"message":"Too early"}`, false},
	} {
		var r Reading
		r.Read(c.status, headerOf(), []byte(c.body), benchNow)
		assert.Equal(t, c.refused, r.Refused, "%d %s", c.status, c.body)
	}

	// Nothing left is no reason for a 401 or a fault.
	for _, status := range []int{401, 500} {
		var r Reading
		r.Read(status, headerOf("X-RateLimit-Remaining", "0", "X-RateLimit-Limit", "5", "Retry-After", "3"), nil, benchNow)
		assert.False(t, r.Refused, status)
	}

	assert.True(t, NeedsBody(500, http.Header{"Content-Type": {"text/xml; charset=utf-8"}}))
	assert.True(t, NeedsBody(500, http.Header{"Content-Type": {"application/soap+xml"}}))
	assert.False(t, NeedsBody(500, http.Header{"Content-Type": {"application/json"}}))
	assert.False(t, NeedsBody(500, http.Header{}))
	assert.True(t, NeedsBody(401, http.Header{"Content-Type": {"application/json"}}))
}
