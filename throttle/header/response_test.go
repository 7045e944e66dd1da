package header

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestReadResponseLooksIntoBodies requires that the body of a success is looked at where
// something in the header is seen beside refusals, however many successes of the same fields
// came before; otherwise it is left alone.
func TestReadResponseLooksIntoBodies(t *testing.T) {
	const refusal = `{"code":429,"message":"rate limit exceeded"}`
	limits := []string{"Content-Type", "application/json", "X-Ratelimit-Limit", "10", "X-Ratelimit-Remaining", "5", "X-Ratelimit-Reset", "9"}
	for name, c := range map[string]struct {
		usual, odd []string
		want       bool
	}{
		"as before":             {limits, nil, false},
		"nothing is left":       {limits, []string{"X-Ratelimit-Remaining", "0"}, true},
		"a wait":                {limits, []string{"Retry-After", "soon"}, true},
		"a wait in each":        {append(limits, "Retry-After", "0"), nil, true},
		"an error":              {limits[:2], []string{"Mediawiki-Api-Error", "ratelimited"}, true},
		"an error in each":      {append(limits, "Mediawiki-Api-Error", "x"), nil, true},
		"another spelling":      {append(limits[:2:2], "Ratelimit", `"a";r=0;t=5`), nil, false},
		"no limits":             {limits[:2], nil, false},
		"no limits, but a wait": {limits[:2], []string{"Retry-After", "7"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			rd, now := new(Reader), time.Now()
			read := func(text string, fields ...string) (r Reading, from *body) {
				from = &body{Reader: strings.NewReader(text)}
				h := http.Header{}
				for i := 0; i < len(fields); i += 2 {
					h.Set(fields[i], fields[i+1])
				}
				resp := &http.Response{StatusCode: http.StatusOK, Header: h, Body: from, ContentLength: int64(len(text))}
				_, _ = rd.ReadResponse(&r, resp, time.Second, now)
				return r, from
			}
			for range 5 {
				r, _ := read(`{}`, c.usual...)
				assert.False(t, r.Refused)
			}
			r, from := read(refusal, slices.Concat(c.usual, c.odd)...)
			assert.Equal(t, c.want, r.Refused)
			if !c.want {
				assert.Equal(t, len(refusal), from.Reader.(*strings.Reader).Len(), "not a byte was read")
			}
		})
	}
}

// TestNoWaitIsOverlooked requires that a Retry-After is noticed at once, also where it takes the
// place of another field, so that the number of fields is that of the successes before.
func TestNoWaitIsOverlooked(t *testing.T) {
	limits := []string{"Content-Type", "application/json", "X-Ratelimit-Limit", "10", "X-Ratelimit-Remaining", "5", "X-Ratelimit-Reset", "9"}
	for before := 1; before < 6; before++ {
		rd := new(Reader)
		read := func(text string, more ...string) (r Reading) {
			resp := &http.Response{
				StatusCode: http.StatusOK, Header: headerOf(slices.Concat(limits, more)...),
				Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
			}
			rd.ReadResponse(&r, resp, time.Second, time.Now())
			return r
		}
		for range before {
			read(`{}`, "Server", "x", "Etag", "y", "Vary", "z")
		}
		r := read(`{"code":429,"message":"rate limit exceeded"}`, "Server", "x", "Retry-After", "7", "Vary", "z")
		assert.True(t, r.Refused)
		assert.Equal(t, 7*time.Second, r.Wait.Delay)
	}
}

// TestReadResponseReadsTheSame requires of every response of the corpus that it is read as if
// its header were read after its body.
func TestReadResponseReadsTheSame(t *testing.T) {
	// In virtual time, so that no busy machine makes a body late.
	synctest.Test(t, func(t *testing.T) {
		for _, s := range loadCorpus(t) {
			if s.Status > 0 {
				requireReadsTheSame(t, &s)
			}
		}
	})
}

func requireReadsTheSame(t *testing.T, s *sample) {
	rd, plain := s.reader(t), s.reader(t)
	for range 3 {
		response := func() *http.Response {
			return &http.Response{
				StatusCode: s.Status, Header: s.header(), ContentLength: int64(len(s.Body)),
				Body: io.NopCloser(strings.NewReader(s.Body)),
			}
		}
		var got, want Reading
		rd.ReadResponse(&got, response(), time.Second, benchNow)
		text, _ := plain.Body(response(), time.Second)
		plain.Read(&want, s.Status, s.header(), text, benchNow)
		assert.Equal(t, want.Windows, got.Windows, s.ID)
		assert.Equal(t, want.Wait, got.Wait, s.ID)
		assert.Equal(t, []bool{want.Refused, want.Stale, want.Paused}, []bool{got.Refused, got.Stale, got.Paused}, s.ID)
	}
}

// TestLimitsOfNumber tells limits on how many things there may be from those of requests,
// where both have the same code.
func TestLimitsOfNumber(t *testing.T) {
	for _, tt := range []struct {
		name, header, body string
		refused            bool
	}{
		{"AWS's code for both", "", `{"__type":"LimitExceededException"}`, true},
		{"with the rate", "", `{"__type":"LimitExceededException","message":"Rate exceeded"}`, true},
		{"with attempts", "", `{"__type":"LimitExceededException","message":"Attempt limit exceeded, please try after some time."}`, true},
		{"with a number of requests", "", `{"__type":"LimitExceededException","message":"The maximum number of requests has been reached"}`, true},
		{"with a number of aliases", "", `{"__type":"com.amazonaws.kms#LimitExceededException","message":"The maximum number of aliases has been reached"}`, false},
		{"with a quota of policies", "", `{"__type":"LimitExceededException","message":"Cannot exceed quota for PoliciesPerRole: 10"}`, false},
		{"in the header", "LimitExceededException", "", true},
		{"in the header, with a blank body", "LimitExceededException", " ", true},
		{"in the header, with a number of roles", "LimitExceededException", `{"message":"Too many roles"}`, false},
		{"a quota in the header", "QUOTA_EXCEEDED", "", true},
		{"a quota that names its resource", "", `{"code":"quota_exceeded","limit":"projects","current":3}`, false},
		{"a quota that names requests", "", `{"code":"quota_exceeded","limit":"requests","current":3}`, true},
		{"something that is throttled already", "", `{"code":"AlreadyThrottled"}`, false},
	} {
		h := headerOf("Content-Type", "application/json")
		if tt.header != "" {
			h.Set("X-Amzn-Errortype", tt.header)
		}
		var r Reading
		r.Read(http.StatusBadRequest, h, []byte(tt.body), benchNow)
		assert.Equal(t, tt.refused, r.Refused, tt.name)
	}
}
