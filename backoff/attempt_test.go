package backoff

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func request(t testing.TB, method, body string, header ...string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://api.test/", r)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

func TestIdempotentByMethod(t *testing.T) {
	for method, want := range map[string]bool{
		"": true, "GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true, "PUT": true, "DELETE": true,
		"POST": false, "PATCH": false, "CONNECT": false, "get": false, "PURGE": false,
	} {
		assert.Equal(t, want, Attempt{Request: &http.Request{Method: method}}.Idempotent(), "method %q", method)
	}
	assert.False(t, Attempt{}.Idempotent())
	assert.True(t, Attempt{Repeatable: true}.Idempotent())
}

func TestIdempotentByHeader(t *testing.T) {
	assert.True(t, Attempt{Request: request(t, "POST", "", "idempotency-key", "a")}.Idempotent())
	assert.True(t, Attempt{Request: request(t, "POST", "", "X-Idempotency-Key", "a")}.Idempotent())
	assert.False(t, Attempt{Request: request(t, "POST", "", "Idempotency-Key", "")}.Idempotent())

	unsent := request(t, "POST", "")
	unsent.Header["Idempotency-Key"] = []string{}
	assert.True(t, Attempt{Request: unsent}.Idempotent(), "the mark that net/http does not send")
	unsent.Header["Idempotency-Key"] = nil
	assert.False(t, Attempt{Request: unsent}.Idempotent())
}

func TestIdempotentByTheCallersWord(t *testing.T) {
	with := func(r *http.Request, word bool) *http.Request {
		return r.WithContext(WithIdempotent(r.Context(), word))
	}
	post, get := request(t, "POST", ""), request(t, "GET", "", "Idempotency-Key", "a")
	assert.True(t, Attempt{Request: with(post, true)}.Idempotent())
	assert.True(t, Attempt{Request: post, Repeatable: true}.Idempotent())
	assert.False(t, Attempt{Request: with(get, false)}.Idempotent())
	assert.False(t, Attempt{Request: with(post, false), Repeatable: true}.Idempotent(), "one request over all")
	assert.True(t, Attempt{Request: with(with(get, false), true)}.Idempotent(), "the last word counts")
}

func TestReplayable(t *testing.T) {
	assert.True(t, Attempt{}.Replayable())
	assert.True(t, Attempt{Request: request(t, "POST", "")}.Replayable(), "no body")
	assert.True(t, Attempt{Request: request(t, "POST", "x")}.Replayable(), "GetBody")
	stream := request(t, "POST", "x")
	stream.GetBody = nil
	assert.False(t, Attempt{Request: stream}.Replayable(), "a stream")
	assert.True(t, Attempt{Request: stream, Recorded: true}.Replayable(), "a recorded stream")
	stream.Body = http.NoBody
	assert.True(t, Attempt{Request: stream}.Replayable(), "NoBody")
}

func TestWithIdempotentKeepsTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	marked := WithIdempotent(ctx, true)
	cancel()
	assert.ErrorIs(t, marked.Err(), context.Canceled)
}
