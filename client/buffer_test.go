package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// A kept body is sent whole each time, and in the way in which the caller sends it.
func TestBodyBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, length := range []int64{-1, 0, 4} {
			var seen []int64
			base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
				seen = append(seen, req.ContentLength)
				return sequence(429, 200)(n, req)
			}}
			req := post(t.Context(), "")
			req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader("text")), nil, length
			resp, err := transport(t, base, client.WithBodyBuffer(4)).RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, []string{"text", "text"}, base.texts)
			assert.Equal(t, []int64{length, length}, seen)
		}
	})
}

// Of a body that is too long no more is read beforehand than it takes to know, and of one
// that says so nothing.
func TestBodyBufferLeavesLongBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for length, most := range map[int64]int64{-1: 101, 1_000_000: 0} {
			body := watch(io.LimitReader(endless(), 1_000_000))
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				assert.Equal(t, most, body.read.Load())
				n, err := io.Copy(io.Discard, req.Body)
				assert.NoError(t, err)
				assert.EqualValues(t, 1_000_000, n)
				return respond(req, 429), req.Body.Close()
			})
			req := post(t.Context(), "")
			req.Body, req.GetBody, req.ContentLength = body, nil, length
			resp, err := transport(t, base, client.WithBodyBuffer(100)).RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, 429, resp.StatusCode)
			assert.True(t, body.isClosed())
		}
	})
}

// A body is not read beforehand if it can be made again, or needs not be.
func TestBodyBufferLeavesOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remade := post(t.Context(), "text")
		once := post(client.NoRetry(t.Context()), "text")
		atOnce := post(client.NoWait(t.Context()), "text")
		once.GetBody, atOnce.GetBody = nil, nil
		for _, req := range []*http.Request{remade, once, atOnce} {
			body := watch(strings.NewReader("text"))
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				assert.Zero(t, body.read.Load())
				return respond(req, 200), req.Body.Close()
			})
			req.Body = body
			_, err := transport(t, base, client.WithBodyBuffer(1<<20)).RoundTrip(req)
			require.NoError(t, err)
		}
	})
}
