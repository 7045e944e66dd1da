package header_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// fieldsOf makes a header of two fields that are about something else, and more.
func fieldsOf(fields ...string) http.Header {
	h := http.Header{"Content-Type": {"text/plain"}, "Date": {"Sat, 28 Feb 2026 12:00:00 GMT"}}
	for i := 0; i < len(fields); i += 2 {
		h[fields[i]] = append(h[fields[i]], fields[i+1])
	}
	return h
}

// A glance sees whether as much is left as our own requests explain, here ten.
func TestGlance(t *testing.T) {
	type pair struct {
		then  http.Header
		match bool
	}
	for name, c := range map[string]struct {
		first http.Header
		then  []pair
	}{
		"plain": {fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "42", "X-Ratelimit-Reset", "30"), []pair{
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "42", "X-Ratelimit-Reset", "30"), true},
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "32", "X-Ratelimit-Reset", "29"), true},
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "31", "X-Ratelimit-Reset", "29"), false},
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "few", "X-Ratelimit-Reset", "29"), false},
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "42;w=3", "X-Ratelimit-Reset", "29"), false},
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "", "X-Ratelimit-Reset", "29"), false},
			{fieldsOf("X-Ratelimit-Limit", "100", "Backoff", "5", "X-Ratelimit-Reset", "29"), false},
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "42", "X-Ratelimit-Reset", "30", "Backoff", "5"), false},
			{fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "42", "X-Ratelimit-Remaining", "7", "X-Ratelimit-Reset", "30"), false},
		}},
		"two windows": {fieldsOf("X-Ratelimit-Remaining-Minute", "50", "X-Ratelimit-Remaining-Day", "500"), []pair{
			{fieldsOf("X-Ratelimit-Remaining-Minute", "40", "X-Ratelimit-Remaining-Day", "490"), true},
			{fieldsOf("X-Ratelimit-Remaining-Minute", "39", "X-Ratelimit-Remaining-Day", "490"), false},
			{fieldsOf("X-Ratelimit-Remaining-Minute", "40", "X-Ratelimit-Remaining-Day", "489"), false},
		}},
		"of a resource": {fieldsOf("X-Ratelimit-Remaining", "50", "X-Ratelimit-Used", "5", "X-Ratelimit-Resource", "core"), []pair{
			{fieldsOf("X-Ratelimit-Remaining", "45", "X-Ratelimit-Used", "10", "X-Ratelimit-Resource", "core"), true},
			{fieldsOf("X-Ratelimit-Remaining", "50", "X-Ratelimit-Used", "5", "X-Ratelimit-Resource", "search"), false},
			{fieldsOf("X-Ratelimit-Remaining", "50", "X-Ratelimit-Used", "5", "X-Request-Id", "core"), false},
		}},
		"structured": {fieldsOf("Ratelimit", `"a";r=50;t=3, "b";r=70;t=9`, "Ratelimit-Policy", `"a";q=100;w=60, "b";q=1000;w=3600`), []pair{
			{fieldsOf("Ratelimit", `"a";r=40;t=2, "b";r=60;t=8`, "Ratelimit-Policy", `"a";q=100;w=60, "b";q=1000;w=3600`), true},
			{fieldsOf("Ratelimit", `"a";r=39;t=2, "b";r=60;t=8`, "Ratelimit-Policy", `"a";q=100;w=60, "b";q=1000;w=3600`), false},
			{fieldsOf("Ratelimit", `"a";r=40;t=2, "b";r=59;t=8`, "Ratelimit-Policy", `"a";q=100;w=60, "b";q=1000;w=3600`), false},
			{fieldsOf("Ratelimit", `"a";r=50;t=3`, "Ratelimit-Policy", ""), false},
			{fieldsOf("Ratelimit", `"b";r=50;t=3, "a";r=70;t=9`, "Ratelimit-Policy", ""), false},
			{fieldsOf("Ratelimit", `"a";r=50;t=3, "b";r=70;t=9, "c";r=1;t=1`, "Ratelimit-Policy", ""), false},
			{fieldsOf("Ratelimit", `"a";t=3;r=50, "b";r=70;t=9`, "Ratelimit-Policy", ""), false},
			{fieldsOf("Ratelimit", `"a";r=50;t=3, "b";r=70;t=`, "Ratelimit-Policy", ""), false},
			{fieldsOf("Ratelimit", `"a";r=50;t=3, "b";r=70;t=9, `, "Ratelimit-Policy", ""), false},
			{fieldsOf("Ratelimit", `"a";r=;t=3, "b";r=70;t=9`, "Ratelimit-Policy", ""), false},
			{fieldsOf("Ratelimit", "", "Ratelimit-Policy", ""), false},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rd, err := header.NewReader("api.example.com")
			require.NoError(t, err)
			rd.Read(new(header.Reading), http.StatusOK, c.first, nil, time.Now())
			g := rd.Glance(c.first, 10)
			require.NotNil(t, g)
			require.True(t, g.Matches(c.first))
			for _, p := range c.then {
				assert.Equal(t, p.match, g.Matches(p.then), p.then)
			}
		})
	}
}

// Some responses have to be read.
func TestNoGlance(t *testing.T) {
	for name, h := range map[string]http.Header{
		"no limits":             fieldsOf(),
		"nothing left told":     fieldsOf("X-Ratelimit-Limit", "100"),
		"only what is used":     fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Used", "7", "X-Ratelimit-Remaining-Day", "7"),
		"a share":               fieldsOf("X-Ratelimit-Remaining", "0.7"),
		"twice":                 fieldsOf("X-Ratelimit-Remaining", "5", "X-Ratelimit-Remaining", "7"),
		"from a cache, perhaps": fieldsOf("X-Ratelimit-Remaining", "7", "Age", "0"),
		"to come back later":    fieldsOf("X-Ratelimit-Remaining", "7", "Backoff", "0"),
		"pairs":                 fieldsOf("Ratelimit", "limit=100, remaining=50, reset=30"),
		"a sign in a name":      fieldsOf("Ratelimit", `"a;r=5";t=3`),
		"a list of text":        fieldsOf("Ratelimit", `"a";r=five;t=3`),
	} {
		rd, err := header.NewReader("api.example.com")
		require.NoError(t, err)
		rd.Read(new(header.Reading), http.StatusOK, h, nil, time.Now())
		assert.Nil(t, rd.Glance(h, 0), name)
	}
	h := fieldsOf("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "42")
	rd, err := header.NewReader("api.example.com")
	require.NoError(t, err)
	assert.Nil(t, rd.Glance(h, 0), "never read")
	for name, d := range map[string]header.Dialect{
		"bodies":  {Bodies: true},
		"periods": {Periods: []header.Period{{Name: "minute", Length: time.Minute}}},
	} {
		rd, err := header.NewReader("api.example.com", d)
		require.NoError(t, err)
		rd.Read(new(header.Reading), http.StatusOK, h, nil, time.Now())
		assert.Nil(t, rd.Glance(h, 0), name)
	}
}

// Whatever fields say: where a glance finds a response as expected, a reading of it does.
func FuzzGlance(f *testing.F) {
	f.Add("Ratelimit", `"a";r=50;t=3, "b";r=70;t=9`, `"a";r=45;t=2, "b";r=65;t=8`)
	f.Add("X-Ratelimit-Remaining", "42", "40")
	f.Add("Ratelimit", `a;r=1,b;r=2;t=3`, `a;r=1,b;r=2;r=0`)
	f.Add("Ratelimit", `"a";q=9;r=5;t=1`, `"a";q=9;r=5;r=1;t=1`)
	f.Fuzz(func(t *testing.T, name, first, then string) {
		rd, err := header.NewReader("api.example.com")
		require.NoError(t, err)
		var r, s header.Reading
		h := fieldsOf(name, first)
		rd.Read(&r, http.StatusOK, h, nil, time.Now())
		g := rd.Glance(h, 10)
		if g == nil {
			return
		}
		require.True(t, g.Matches(h))
		h = fieldsOf(name, then)
		if !g.Matches(h) {
			return
		}
		s.Read(http.StatusOK, h, nil, time.Now())
		require.False(t, s.Refused)
		require.False(t, s.Paused)
		require.Len(t, s.Windows, len(r.Windows))
		for i := range s.Windows {
			require.Equal(t, r.Windows[i].Name, s.Windows[i].Name)
			require.GreaterOrEqual(t, s.Windows[i].Remaining.Value, r.Windows[i].Remaining.Value-10)
		}
	})
}
