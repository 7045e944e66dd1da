package header

import (
	"errors"
	"io"
	"net/http"
	"runtime"
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
			peek, same := PeekBody(resp, time.Minute)
			assert.Same(t, resp, same)
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
		peek, same := PeekBody(resp, time.Minute)
		assert.Nil(t, peek, name)
		assert.Same(t, resp, same, name)
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
		peek, resp := PeekBody(resp, 2*time.Second)
		assert.Equal(t, "first ", string(peek))
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
		peek, resp := PeekBody(resp, time.Second)
		assert.Empty(t, peek)
		require.NoError(t, resp.Body.Close())
		_, err := resp.Body.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.ErrClosedPipe)
	})
}

// A body that panics, or ends the goroutine that reads it, does so to its owner: at once
// if it is read in time, and else when the owner reads.
func TestPeekBodyPanics(t *testing.T) {
	ending := func(f func()) (panicked any, exited bool) {
		over, returned := make(chan struct{}), false
		go func() {
			defer close(over)
			defer func() {
				panicked = recover()
				exited = !returned && panicked == nil
			}()
			f()
			returned = true
		}()
		<-over
		return panicked, exited
	}
	for name, end := range map[string]func(){
		"panic": func() { panic(http.ErrAbortHandler) },
		"exit":  runtime.Goexit,
	} {
		check := func(t *testing.T, panicked any, exited bool) {
			t.Helper()
			if name == "panic" {
				assert.Equal(t, http.ErrAbortHandler, panicked)
			} else {
				assert.True(t, exited)
			}
		}
		for _, late := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := &body{Reader: readerFunc(func([]byte) (int, error) {
						if late {
							time.Sleep(time.Hour)
						}
						end()
						return 0, nil
					})}
					resp := response(b)
					panicked, exited := ending(func() { _, resp = PeekBody(resp, time.Second) })
					if late {
						require.Nil(t, panicked)
						require.False(t, exited)
						panicked, exited = ending(func() { _, _ = resp.Body.Read(make([]byte, 1)) })
					}
					check(t, panicked, exited)
					require.NoError(t, resp.Body.Close())
					assert.Equal(t, 1, b.closed)
				})
			})
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// The owner may look at the trailer at any time, also while a read is under way that sets
// it, and finds it filled in once it has read to the end. Run it with -race.
func TestPeekBodyTrailer(t *testing.T) {
	for name, announced := range map[string]http.Header{"announced": {"X-Sum": nil}, "not announced": nil} {
		t.Run(name, func(t *testing.T) {
			original := response(nil)
			original.Trailer = announced
			reading := make(chan struct{})
			original.Body = &body{Reader: readerFunc(func([]byte) (int, error) {
				<-reading
				if original.Trailer == nil {
					original.Trailer = make(http.Header)
				}
				original.Trailer.Set("X-Sum", "7")
				return 0, io.EOF
			})}
			_, resp := PeekBody(original, time.Millisecond)
			require.NotSame(t, original, resp)
			close(reading)
			for range 1000 {
				assert.Empty(t, resp.Trailer.Get("X-Sum"))
			}
			_, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, http.Header{"X-Sum": {"7"}}, resp.Trailer)
		})
	}
}
