package header_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// A glance at a response of a known shape tells what is left.
func TestLeft(t *testing.T) {
	plain := func(fields ...string) http.Header {
		h := http.Header{"Content-Type": {"text/plain"}, "Date": {"Sat, 28 Feb 2026 12:00:00 GMT"}}
		for i := 0; i < len(fields); i += 2 {
			h[fields[i]] = []string{fields[i+1]}
		}
		return h
	}
	usual := plain("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "42", "X-Ratelimit-Reset", "30")
	for name, c := range map[string]struct {
		first, then http.Header
		left        int64
		ok          bool
	}{
		"the same":          {usual, usual, 42, true},
		"less":              {usual, plain("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "7", "X-Ratelimit-Reset", "29"), 7, true},
		"never read":        {nil, usual, 0, false},
		"one more field":    {usual, plain("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "7", "X-Ratelimit-Reset", "29", "Backoff", "5"), 0, false},
		"another field":     {usual, plain("X-Ratelimit-Limit", "100", "Backoff", "5", "X-Ratelimit-Reset", "29"), 0, false},
		"no number":         {usual, plain("X-Ratelimit-Limit", "100", "X-Ratelimit-Remaining", "few", "X-Ratelimit-Reset", "29"), 0, false},
		"no limits":         {plain(), plain(), 0, false},
		"nothing left told": {plain("X-Ratelimit-Limit", "100"), plain("X-Ratelimit-Limit", "100"), 0, false},
		"two windows": {
			plain("X-Ratelimit-Remaining-Minute", "7", "X-Ratelimit-Remaining-Day", "5"),
			plain("X-Ratelimit-Remaining-Minute", "7", "X-Ratelimit-Remaining-Day", "5"), 0, false,
		},
		"structured": {plain("Ratelimit", `"a";r=5;t=3`), plain("Ratelimit", `"a";r=5;t=3`), 0, false},
		"from a cache, perhaps": {
			plain("X-Ratelimit-Remaining", "7", "Age", "0"), plain("X-Ratelimit-Remaining", "7", "Age", "60"), 0, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			rd, err := header.NewReader("api.example.com")
			require.NoError(t, err)
			if c.first != nil {
				rd.Read(new(header.Reading), http.StatusOK, c.first, nil, time.Now())
			}
			left, ok := rd.Left(c.then)
			assert.Equal(t, c.ok, ok)
			assert.Equal(t, c.left, left)
		})
	}
}

func TestLeftOfTwoValues(t *testing.T) {
	rd, err := header.NewReader("api.example.com")
	require.NoError(t, err)
	h := http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"42"}}
	rd.Read(new(header.Reading), http.StatusOK, h, nil, time.Now())
	h["X-Ratelimit-Remaining"] = []string{"42", "7"}
	_, ok := rd.Left(h)
	assert.False(t, ok)
}

// What an API says in its bodies is not seen at a glance.
func TestLeftOfBodies(t *testing.T) {
	rd, err := header.NewReader("api.example.com", header.Dialect{Hosts: []string{"api.example.com"}, Bodies: true})
	require.NoError(t, err)
	h := http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"42"}}
	rd.Read(new(header.Reading), http.StatusOK, h, nil, time.Now())
	_, ok := rd.Left(h)
	assert.False(t, ok)
}
