package header

import (
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// requireSane checks what holds for the reading of every response, however
// broken or hostile.
func requireSane(t *testing.T, r *Reading) {
	t.Helper()
	require.LessOrEqual(t, len(r.Windows), maxWindows)
	for i := range r.Windows {
		w := &r.Windows[i]
		require.NotEmpty(t, w.Name)
		for _, c := range []Count{w.Limit, w.Remaining, w.Used} {
			require.False(t, math.IsNaN(c.Value) || math.IsInf(c.Value, 0) || c.Value < 0, "count %v", c)
			require.True(t, c.Known() || c.Value == 0, "a count of state %v with a value", c.State)
		}
		requireSaneReset(t, w.Reset)
		require.GreaterOrEqual(t, w.Length, time.Duration(0))
		told := w.Limit.State >= Known || w.Remaining.State >= Known || w.Used.State >= Known || w.Reset.Known()
		require.True(t, told, "a window of which nothing is told: %+v", w)
		twin := slices.IndexFunc(r.Windows, func(o Window) bool { return o.Name == w.Name && o.Scope == w.Scope })
		require.Equal(t, i, twin, "two windows of one name: %+v", w)
	}
	requireSaneReset(t, r.Wait.Reset)
	require.GreaterOrEqual(t, r.Wait.Delay, time.Duration(0))
	require.LessOrEqual(t, r.Wait.Delay, maxDelay)
	require.True(t, r.Wait.Known() || r.Wait == Wait{}, "a wait that is not known: %+v", r.Wait)
}

func requireSaneReset(t *testing.T, r Reset) {
	t.Helper()
	if !r.Known() {
		require.Equal(t, Reset{}, r)
		return
	}
	require.GreaterOrEqual(t, r.In, time.Duration(0))
	require.True(t, r.At.IsZero() || r.In == 0, "a reset that is both instant and delay: %+v", r)
	require.GreaterOrEqual(t, r.Delay(benchNow), time.Duration(0))
	require.LessOrEqual(t, r.Delay(benchNow), maxDelay)
}

// said is a reading without what is left over from its making.
func said(r *Reading) Reading {
	return Reading{Windows: slices.Clone(r.Windows), Wait: r.Wait, Refused: r.Refused, Stale: r.Stale, Date: r.Date}
}

// linesOf makes a header of lines as on the wire. Every other name is put in
// as it is spelt, as code does that does not know http.Header.
func linesOf(text string) http.Header {
	h := http.Header{}
	for i, line := range strings.Split(text, "\n") {
		name, value, ok := strings.Cut(line, ":")
		switch {
		case !ok:
		case i%2 == 0:
			h.Add(name, strings.TrimSpace(value))
		default:
			h[name] = append(h[name], value)
		}
	}
	return h
}

// fuzzSeeds is which part of the corpus fuzzing starts with: to run all of it takes longer than a
// short fuzz does.
const fuzzSeeds = 20

func TestReadingsAreSane(t *testing.T) {
	for _, s := range loadCorpus(t) {
		requireSound(t, s.Status, strings.Join(s.Header, "\n"), []byte(s.Body))
		requireSoundBody(t, s.Status, []byte(s.Body))
	}
}

func FuzzHeader(f *testing.F) {
	for i, s := range loadCorpus(f) {
		if i%fuzzSeeds == 0 {
			f.Add(s.Status, strings.Join(s.Header, "\n"), []byte(s.Body))
		}
	}
	f.Fuzz(requireSound)
}

// requireSound checks that a response is read the same in every way there is to read it.
func requireSound(t *testing.T, status int, lines string, body []byte) {
	h := linesOf(lines)
	var r Reading
	r.Read(status, h, body, benchNow)
	requireSane(t, &r)
	first := said(&r)

	// The order of a map decides nothing, and neither does what was read before.
	for range 3 {
		r.Read(status, h, body, benchNow)
		require.Equal(t, first, said(&r))
	}

	// The quick way reads the same as the long one.
	r.begin(status, benchNow)
	r.periods = []Period{}
	r.scan(h)
	r.finish(body)
	require.Equal(t, first, said(&r))

	// A Reader that has learnt the shape reads the same.
	var rd Reader
	for range 2 {
		rd.Read(&r, status, h, body, benchNow)
		if len(r.hits) > 0 || len(r.Windows) > 0 || r.Refused || len(body) > 0 || first.Date.IsZero() {
			require.Equal(t, first, said(&r))
		}
	}
	NeedsBody(status, h)
}

// FuzzValue puts one value into fields of all roles, alone and beside others.
func FuzzValue(f *testing.F) {
	for _, v := range []string{"1", "-1", "0", "1.5", "1,200.00", "1740831300", "1740831300000", "6m0s", "1e9", "NaN", "",
		"Mon, 02 Jan 2006 15:04:05 GMT", "2024-05-06T10:15Z", `"a";r=1;t=2`, "100;w=60", "20:1,100:120", "3/40", "unlimited",
		"limit=1, remaining=0; limit=2", "60r/m", "PerPort:1500/m", "tokens", "user-hour-lim:3500;user-hour-rem:500;",
		"burst:50;rate:5", "12,000", "90 per 1 minute", "90rpm", "8 out of 9", "limit=9 remaining=8 reset=30", "minute=9, day=90",
		`[{"name":"minute","limit":9,"remaining":8},{"name":"day","limit":90}]`, `{"minute":{"limit":9},"day":{"reset":1772370000}}`, "9223372036854775807", strings.Repeat("9", 400)} {
		f.Add(v, "100;w=60")
	}
	names := []string{"X-API-Usage", "X-Quota", "X-Requests-Per-Day", "X-Request-Cost", "RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining-Minute", "X-RateLimit-Used",
		"X-RateLimit-Reset", "X-RateLimit-Reset-Ms", "X-RateLimit-Window", "Retry-After", "Retry-After-Ms", "X-App-Rate-Limit",
		"X-App-Rate-Limit-Count", "X-Sentry-Rate-Limits", "X-App-Usage", "Sforce-Limit-Info", "Units", "Remaining-Req",
		"X-RateLimit-Type", "X-RateLimit-Unit", "X-Throttle-Ttl", "X-Quota-Window", "X-Rate-Remaining", "Date", "Age", "X-Shop-Limit", "X-RateLimit-Resource", "Backoff", "X-RateLimit",
		"X-RateLimit-Info", "X-RateLimit-Percent-Used", "X-RateLimit-Requests", "X-RateLimit-Per", "X-RateLimit-Window-End", "X-Key-Use-Limit", "X-Blocked-Until", "X-Rl", "X-Ttl"}
	f.Fuzz(func(t *testing.T, a, b string) {
		var r Reading
		for i, name := range names {
			for _, status := range []int{200, 429} {
				r.Read(status, http.Header{name: {a}}, nil, benchNow)
				requireSane(t, &r)
				other := names[(i+1)%len(names)]
				r.Read(status, http.Header{name: {a, b}, other: {b, a}}, nil, benchNow)
				requireSane(t, &r)
			}
		}
	})
}

func FuzzBody(f *testing.F) {
	for i, s := range loadCorpus(f) {
		if i%fuzzSeeds == 0 && s.Body != "" {
			f.Add(s.Status, []byte(s.Body))
		}
	}
	f.Fuzz(requireSoundBody)
}

func requireSoundBody(t *testing.T, status int, body []byte) {
	var r Reading
	r.Read(status, nil, body, benchNow)
	requireSane(t, &r)
	first := said(&r)
	r.Read(status, nil, body, benchNow)
	require.Equal(t, first, said(&r))
	// A body that was cut off may tell less, but must not break anything.
	r.Read(status, nil, body[:len(body)/2], benchNow)
	requireSane(t, &r)
}

// FuzzText reads any text as the body of a refusal and of a success.
func FuzzText(f *testing.F) {
	for _, s := range []string{"Try again in 2 seconds", "Rate limit exceeded.", `{"error":"x:Rate limit","retryAfterSec":5}`, "<a><Code>SlowDown</Code>",
		`{"msBeforeNext":5,"ttl":9}`, "Limit 1, Requested 2", "response=3&responsetext=Rate limit exceeded&response_code=301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, step, ok := scan.ParseDuration(s); ok && (d < 0 || step <= 0) {
			t.Fatalf("%q: %v, %v", s, d, step)
		}
		var r Reading
		for _, status := range []int{200, 400, 403, 429, 503} {
			r.Read(status, http.Header{"X-Error-Code": {s}, "X-Ratelimit-Acme": {s}, "X-Throttling-Control": {s}}, []byte(s), benchNow)
			requireSane(t, &r)
			if r.Reason != Unspecified && !r.Refused {
				t.Fatalf("%d %q: %+v", status, s, r)
			}
		}
	})
}

// rfc3339 is stricter than time.Parse. See https://go.dev/issue/54580.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func FuzzDate(f *testing.F) {
	for _, v := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", "Mon Jan  2 15:04:05 2006",
		"2006-01-02T15:04:05.999Z", "2006-01-02T15:04:05+07:00", "2006-01-02 15:04:05 -0700"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		got, step, ok := scan.ParseDate(v)
		if ok {
			require.Positive(t, step)
		}
		// What the standard library reads, we read the same.
		want, err := http.ParseTime(v)
		if err != nil && rfc3339.MatchString(v) {
			want, err = time.Parse(time.RFC3339Nano, v)
		}
		if err != nil || len(v) > 64 {
			return
		}
		// The standard library takes the abbreviation of an unknown zone for UTC.
		if zone, offset := want.Zone(); offset != 0 || zone == "UTC" || zone == "GMT" || zone == "" {
			require.True(t, ok, "not read: %q", v)
			require.WithinDuration(t, want, got, 0, "%q", v)
		}
	})
}
