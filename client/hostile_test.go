package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

var hostileNames = []string{
	"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Reset-After", "X-RateLimit-Used",
	"RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
	"Retry-After", "Retry-After-Ms", "X-Retry-In", "Backoff", "Date", "Age", "X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute",
	"x-ratelimit-reset-requests", "X-Shopify-Shop-Api-Call-Limit", "X-RateLimit-Burst-Capacity",
}

var hostileValues = []string{
	"", " ", "-1", "-9223372036854775808", "0", "1", "9223372036854775807", "9223372037", "99999999999999999999999999",
	"1e309", "NaN", "Inf", "-Inf", "0x7fffffffffffffff", "0.0000000001", "999999999.999999999", "31622400", "40000000", "253402300799",
	"253402300799999", "1", "1;w=0", "1;w=9223372036854775807", `"a";q=9223372036854775807;w=1`, `"a";r=999999999999999;t=999999999999999`,
	`"a";r=-1;t=-1`, `"a";r=0;t=0`, ",,,,", ";;;;", `"`, "1,1,1,1", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
	"9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "P999999999Y", "999999999h", "\x00", "\xff\xfe", strings.Repeat("9", 1<<20), strings.Repeat("1,", 1<<19), strings.Repeat(" ", 1<<20),
}

// patience is how long a request may take at the most, by the hostile tests: two
// attempts, each of which waits for as long as WithMaxWait says, and the pause in
// between.
const patience = 2*time.Minute + 10*time.Second

// trip is how long the server takes for an answer, whatever the deadline.
const trip = 10 * time.Millisecond

// No header makes a transport panic or keep a caller beyond its patience.
func TestHostileHeaders(t *testing.T) {
	for _, name := range hostileNames {
		t.Run(name, func(t *testing.T) {
			for _, value := range hostileValues {
				for _, status := range []int{200, 403, 429, 503} {
					h := http.Header{name: {value}}
					synctest.Test(t, func(t *testing.T) { endure(t, status, h, nil) })
				}
			}
		})
	}
}

// Neither do combinations of them.
func TestHostileCombinations(t *testing.T) {
	for _, limit := range []string{"0", "1", "-1", "9223372036854775807", "5"} {
		for _, remaining := range []string{"0", "1", "-1", "9223372036854775807", "6"} {
			for _, reset := range []string{"0", "1", "-1", "1000000000", "253402300799", "9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT"} {
				for _, date := range []string{"", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"} {
					h := http.Header{
						"X-Ratelimit-Limit": {limit, limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset},
						"Ratelimit": {fmt.Sprintf(`"p";r=%s;t=%s`, remaining, reset)}, "Ratelimit-Policy": {fmt.Sprintf(`"p";q=%s;w=%s`, limit, reset)},
						"Date": {date},
					}
					for _, status := range []int{200, 429} {
						synctest.Test(t, func(t *testing.T) { endure(t, status, h, nil) })
					}
				}
			}
		}
	}
}

// FuzzHeaders looks for a header that does.
func FuzzHeaders(f *testing.F) {
	f.Add(byte(0), byte(2), byte(11), "5", "0", "1000000000", false, []byte(`{"retry_after":1e99}`))
	f.Add(byte(5), byte(6), byte(15), `"a";r=0;t=9`, `"a";q=1;w=9223372036`, "Fri, 31 Dec 9999 23:59:59 GMT", true, []byte(nil))
	f.Fuzz(func(t *testing.T, i, j, k byte, a, b, c string, refused bool, body []byte) {
		h := http.Header{"Content-Type": {"application/json"}}
		for n, value := range map[byte]string{i: a, j: b, k: c} {
			h.Add(hostileNames[int(n)%len(hostileNames)], value)
		}
		status := http.StatusOK
		if refused {
			status = http.StatusTooManyRequests
		}
		synctest.Test(t, func(t *testing.T) { endure(t, status, h, body) })
	})
}

// endure sends some requests to a server that answers with h, now and then or
// always. Each ends in time, with a response or an error that says why.
func endure(t testing.TB, status int, h http.Header, body []byte) {
	base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
		time.Sleep(trip)
		resp := respond(req, status)
		if n != 2 {
			resp.Header = h
		}
		if len(body) > 0 {
			resp.Body, resp.ContentLength = watch(strings.NewReader(string(body))), -1
		}
		return resp, nil
	}}
	rt := transport(t, base, client.WithMaxWait(time.Minute), client.WithRetries(1))
	defer rt.Close()
	for range 4 {
		began := time.Now()
		resp, err := rt.RoundTrip(get(t.Context(), "/"))
		require.LessOrEqual(t, time.Since(began), patience, h)
		if err != nil {
			requireWaitError(t, err, began)
			continue
		}
		resp.Body.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	began := time.Now()
	resp, err := rt.RoundTrip(get(ctx, "/"))
	require.LessOrEqual(t, time.Since(began), 10*time.Second+trip, "with a deadline: %v", h)
	if err != nil {
		requireWaitError(t, err, began)
		return
	}
	resp.Body.Close()
}

func requireWaitError(t testing.TB, err error, began time.Time) {
	e, ok := errors.AsType[*client.Error](err)
	require.True(t, ok, "%v", err)
	require.True(t, errors.Is(err, client.ErrMaxWait) || errors.Is(err, context.DeadlineExceeded), "%v", err)
	require.Less(t, len(e.Error()), 20<<10, "the text of an error")
	if !e.Until.IsZero() {
		require.True(t, e.Until.After(began), "until %v, which was over at %v", e.Until, began)
	}
}
