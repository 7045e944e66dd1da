package header

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Hostile answers are read in bounded time and to bounded results. The
// times are generous: the point is that none of them is quadratic.
func TestHostile(t *testing.T) {
	mega := 1 << 20
	many := func(n int, name func(int) string) http.Header {
		h := http.Header{}
		for i := range n {
			h[name(i)] = []string{"5"}
		}
		return h
	}
	for _, tt := range []struct {
		name   string
		header http.Header
		body   string
	}{
		{name: "thousands of names of windows", header: many(20_000, func(i int) string { return fmt.Sprintf("X-Ratelimit-Remaining-W%d", i) })},
		{name: "as many names as are read", header: many(maxNames, func(i int) string { return fmt.Sprintf("X-Ratelimit-Remaining-W%d", i) })},
		{name: "names to take apart", header: many(maxNames, func(i int) string { return fmt.Sprintf("X-%d-%s", i, strings.Repeat("limitremain", 10)) })},
		{name: "a value of digits", header: headerOf("X-RateLimit-Limit", strings.Repeat("9", mega))},
		{name: "a value of decimals", header: headerOf("X-RateLimit-Limit", "0."+strings.Repeat("9", mega))},
		{name: "a list of numbers", header: headerOf("X-RateLimit-Limit", strings.Repeat("1,", mega/2))},
		{name: "a list of items", header: headerOf("RateLimit", strings.Repeat("a;r=1,", mega/6))},
		{name: "a list of many items", header: headerOf("RateLimit", items(mega/10))},
		{name: "items with many keys", header: headerOf("RateLimit", keys(mega/20))},
		{name: "a list of policies", header: headerOf("RateLimit-Policy", strings.Repeat("5;w=1,", mega/6))},
		{name: "one item of many parameters", header: headerOf("RateLimit", `"a"`+strings.Repeat(";r=1", mega/4))},
		{name: "a quote without end", header: headerOf("RateLimit", `"`+strings.Repeat(`\"`, mega/2))},
		{name: "pairs", header: headerOf("X-RateLimit", strings.Repeat("limit=1;", mega/8))},
		{name: "pairs with names", header: headerOf("X-RateLimit", strings.Repeat("user-hour-lim:3;", mega/16))},
		{name: "spans", header: headerOf("X-App-Rate-Limit", strings.Repeat("5:1,", mega/4))},
		{name: "JSON", header: headerOf("X-App-Usage", strings.Repeat(`{"a":`, mega/5))},
		{name: "thousands of lines", header: http.Header{"Ratelimit": lines(10_000, `"a";r=1`), "X-Ratelimit-Limit": lines(10_000, "5")}},
		{name: "lines of lists", header: http.Header{"Ratelimit": lines(100, strings.Repeat("a;r=1,", maxValue/6))}},
		{name: "a body of brackets", body: strings.Repeat("[", mega)},
		{name: "a body of fields", body: "{" + strings.Repeat(`"x-ratelimit-limit-minute":5,`, mega/30)},
		{name: "a body of words", body: strings.Repeat("try again in ", mega/13)},
		{name: "a body of quotes", body: `{"` + strings.Repeat(`\`, mega)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Reading
			start := time.Now()
			r.Read(http.StatusTooManyRequests, tt.header, []byte(tt.body), benchNow)
			assert.Less(t, time.Since(start), 10*time.Second) // what grew with the square would take hours
			requireSane(t, &r)
			assert.LessOrEqual(t, len(r.hits), maxHits)
			assert.LessOrEqual(t, r.text, maxText)
			first := said(&r)
			r.Read(http.StatusTooManyRequests, tt.header, []byte(tt.body), benchNow)
			require.Equal(t, first, said(&r), "the order of the map decided")
		})
	}
}

func lines(n int, v string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func items(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%d;r=1,", i)
	}
	return b.String()
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p;r=1;pk=%d,", i)
	}
	return b.String()
}

// In a header of absurdly many names the usual ones are still found.
func TestManyNames(t *testing.T) {
	h := headerOf("Retry-After", "7", "X-RateLimit-Remaining", "0")
	for i := range maxNames {
		h.Set(fmt.Sprintf("X-%d", i), "1")
	}
	var rd Reader
	var r Reading
	rd.Read(&r, http.StatusTooManyRequests, h, nil, benchNow)
	assert.Equal(t, 7*time.Second, r.Wait.Delay)
	assert.Len(t, r.Windows, 1)
	rd.Read(&r, http.StatusOK, h, nil, benchNow)
	assert.Len(t, r.Windows, 1)

	h.Set("X-RateLimit-Remaining-Minute", "0")
	rd.Read(&r, http.StatusOK, h, nil, benchNow)
	assert.Len(t, r.Windows, 1, "the unusual ones are not")
	r.Read(http.StatusOK, h, nil, benchNow)
	assert.Len(t, r.Windows, 1)
}
