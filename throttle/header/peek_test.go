package header

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNeedsBody(t *testing.T) {
	json := []string{"Content-Type", "application/json; charset=utf-8"}
	for _, tt := range []struct {
		name   string
		status int
		fields []string
		want   bool
	}{
		{"an ordinary success", 200, json, false},
		{"not found", 404, json, false},
		{"broken", 500, json, false},
		{"too many requests", 429, json, true},
		{"forbidden", 403, json, true},
		{"a problem", 429, []string{"Content-Type", "application/problem+json"}, true},
		{"plain text", 429, []string{"Content-Type", "text/plain"}, true},
		{"XML", 503, []string{"Content-Type", "application/xml"}, true},
		{"no type", 429, nil, true},
		{"the answer is there", 429, append(json, "Retry-After", "5"), false},
		{"nothing to read", 429, append(json, "Content-Length", "0"), false},
		{"compressed", 429, append(json, "Content-Encoding", "gzip"), false},
		{"a picture", 429, []string{"Content-Type", "image/png"}, false},
		{"a stream of events", 429, []string{"Content-Type", "text/event-stream"}, false},
		{"a stream of lines", 429, []string{"Content-Type", "application/x-ndjson"}, false},
	} {
		assert.Equal(t, tt.want, NeedsBody(tt.status, headerOf(tt.fields...)), tt.name)
	}

	rd, err := NewReader("demo.myshopify.com")
	require.NoError(t, err)
	assert.True(t, rd.NeedsBody(200, headerOf(json...)))
	assert.False(t, rd.NeedsBody(200, headerOf("Content-Type", "text/event-stream")))
	assert.False(t, rd.NeedsBody(304, headerOf()))
	assert.False(t, new(Reader).NeedsBody(200, headerOf(json...)))
}

// body counts how it is used.
type body struct {
	io.Reader
	closed int
}

func (b *body) Close() error { b.closed++; return nil }

func response(b io.ReadCloser, more ...string) *http.Response {
	return &http.Response{StatusCode: http.StatusTooManyRequests, Header: headerOf(more...), Body: b, ContentLength: -1}
}

func TestPeekBody(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", MaxBody/8)
	broken := errors.New("broken")
	for _, tt := range []struct {
		name   string
		reader io.Reader
		peek   string
		all    string
		err    error
	}{
		{"empty", strings.NewReader(""), "", "", nil},
		{"short", strings.NewReader("hello"), "hello", "hello", nil},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("hello")), "hello", "hello", nil},
		{"end with the data", iotest.DataErrReader(strings.NewReader("hello")), "hello", "hello", nil},
		{"long", strings.NewReader(big), big[:MaxBody], big, nil},
		{"as long as is read", strings.NewReader(big[:MaxBody]), big[:MaxBody], big[:MaxBody], nil},
		{"broken", io.MultiReader(strings.NewReader("hel"), iotest.ErrReader(broken)), "hel", "hel", broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &body{Reader: tt.reader}
			resp := response(b)
			peek := PeekBody(resp, time.Minute)
			assert.Equal(t, tt.peek, string(peek))
			all, err := io.ReadAll(resp.Body)
			assert.Equal(t, tt.err, err)
			assert.Equal(t, tt.all, string(all))
			assert.Equal(t, tt.peek, string(peek), "what was peeked is not touched")
			assert.Zero(t, b.closed)
			assert.NoError(t, resp.Body.Close())
			assert.Equal(t, 1, b.closed)
		})
	}
}

func TestPeekBodyNever(t *testing.T) {
	unread := iotest.ErrReader(errors.New("must not be read"))
	for name, resp := range map[string]*http.Response{
		"an event stream":       response(&body{Reader: unread}, "Content-Type", "text/event-stream; charset=utf-8"),
		"a switch of protocols": {StatusCode: http.StatusSwitchingProtocols, Body: &body{Reader: unread}, ContentLength: -1},
		"length zero":           {StatusCode: 429, Body: &body{Reader: unread}},
		"no body":               {StatusCode: 429, Body: http.NoBody, ContentLength: -1},
		"nil":                   {StatusCode: 429},
	} {
		was := resp.Body
		assert.Nil(t, PeekBody(resp, time.Minute), name)
		assert.Equal(t, was, resp.Body, name)
	}
}

// A body that stalls is given back after a while, with all that has come.
func TestPeekBodyStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		resp := response(pr)
		go func() {
			_, _ = pw.Write([]byte("first "))
			time.Sleep(time.Hour)
			_, _ = pw.Write([]byte("second "))
			time.Sleep(time.Hour)
			_, _ = pw.Write([]byte("third"))
			_ = pw.Close()
		}()
		start := time.Now()
		assert.Equal(t, "first ", string(PeekBody(resp, 2*time.Second)))
		assert.Equal(t, 2*time.Second, time.Since(start))

		// The reader gets the second part when it comes, not when all has come.
		buf := make([]byte, 100)
		n, err := resp.Body.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, "first second ", string(buf[:n]))
		assert.Equal(t, time.Hour, time.Since(start))
		rest, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "third", string(rest))
	})
}

// A body that never comes leaves nothing running once it is closed.
func TestPeekBodyClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, _ := io.Pipe()
		resp := response(pr)
		assert.Empty(t, PeekBody(resp, time.Second))
		require.NoError(t, resp.Body.Close())
		_, err := resp.Body.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.ErrClosedPipe)
	})
}
