package client_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

// A recorded body is sent whole each time, and in the way in which the caller sends it.
func TestBodyBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, length := range []int64{-1, 0, 4} {
			var seen []int64
			base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
				seen = append(seen, req.ContentLength)
				assert.Nil(t, req.GetBody)
				return sequence(429, 200)(n, req)
			}}
			req := post(t.Context(), "")
			body := watch(strings.NewReader("text"))
			req.Body, req.GetBody, req.ContentLength = body, nil, length
			resp, err := transport(t, base, client.WithBodyBuffer(4)).RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, []string{"text", "text"}, base.texts)
			assert.Equal(t, []int64{length, length}, seen)
			assert.Same(t, req, resp.Request)
			assert.Nil(t, req.GetBody)
			assert.EqualValues(t, 1, body.closes.Load())
		}
	})
}

// Nothing is read before it is sent, and a body that is too long is sent once.
func TestBodyBufferLeavesLongBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, length := range []int64{-1, 1_000_000} {
			body := watch(io.LimitReader(endless(), 1_000_000))
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				assert.Zero(t, body.read.Load())
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
			assert.EqualValues(t, 1, body.closes.Load())
		}
	})
}

// The base transport gets the caller's own body if it need not be recorded: it can be made again, is
// sent only once, or is known to be too long.
func TestBodyBufferLeavesOthers(t *testing.T) {
	remade := post(t.Context(), "text")
	once := post(client.NoRetry(t.Context()), "text")
	atOnce := post(client.NoWait(t.Context()), "text")
	long := post(t.Context(), "text")
	once.GetBody, atOnce.GetBody, long.GetBody = nil, nil, nil
	long.ContentLength = 2 << 20
	for req, opt := range map[*http.Request]client.Option{
		remade: nil, once: nil, atOnce: nil, long: nil,
		stream(t, "text"): client.WithBodyBuffer(0), stream(t, "text"): client.WithRetries(0),
	} {
		base := roundTripper(func(sent *http.Request) (*http.Response, error) {
			assert.Same(t, req, sent)
			return respond(sent, 200), sent.Body.Close()
		})
		_, err := transport(t, base, opt).RoundTrip(req)
		require.NoError(t, err)
	}
}

// stream makes a request whose body can be read once.
func stream(t *testing.T, text string) *http.Request {
	req := post(t.Context(), "")
	req.Body, req.GetBody, req.ContentLength = watch(strings.NewReader(text)), nil, -1
	return req
}

// A body goes on after its request was answered, whatever the answer, if the caller gets that.
func TestBodyGoesOnAfterItsAnswer(t *testing.T) {
	never := client.WithCheck(func(backoff.Attempt) backoff.Verdict { return backoff.No })
	for status, opts := range map[int][]client.Option{
		200: nil, 201: {never}, 404: nil, 500: nil, 429: {client.WithMaxWait(time.Second)},
	} {
		synctest.Test(t, func(t *testing.T) {
			got := make(chan string, 1)
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				go func() {
					time.Sleep(time.Second)
					text, _ := io.ReadAll(req.Body)
					req.Body.Close()
					got <- string(text)
				}()
				return respond(req, status, "Retry-After", "10"), nil
			})
			req := stream(t, "text")
			resp, err := transport(t, base, opts...).RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, status, resp.StatusCode)
			require.Equal(t, "text", <-got, status)
			require.EqualValues(t, 1, req.Body.(*watched).closes.Load())
		})
	}
}

// Recording costs an allocation for the request and its recording, and one for the bytes if their
// number is known; another three if the context can end.
func TestARecordedCallAllocatesLittle(t *testing.T) {
	if chance.Raced {
		t.Skip("the race detector allocates")
	}
	buffer := make([]byte, 1000)
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		for {
			if _, err := req.Body.Read(buffer); err != nil {
				break
			}
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, req.Body.Close()
	})
	rt := transport(t, base)
	text := strings.Repeat("x", 8000)
	content := strings.NewReader(text)
	req := post(t.Context(), "")
	req.GetBody, req.ContentLength = nil, 8000
	req.Body = io.NopCloser(content)
	allocs := func() float64 {
		return testing.AllocsPerRun(1000, func() {
			content.Reset(text)
			if _, err := rt.RoundTrip(req); err != nil {
				t.Error(err)
			}
		})
	}
	recorded := allocs()
	req.GetBody = func() (io.ReadCloser, error) { return req.Body, nil }
	bare := allocs()
	t.Logf("%v allocations, %v without recording", recorded, bare)
	assert.LessOrEqual(t, recorded-bare, 5.0)
}

// uploads sends a thousand bodies from readers, ten at a time, to an API that refuses one attempt of
// twenty, and no upload more than thrice. It returns how many were served.
func uploads(t *testing.T, status int, wrap func(http.RoundTripper) *http.Client) (served int) {
	const content = "a line of a stream\n"
	var mu sync.Mutex // guards served, random and refusals
	refusals := make(map[string]int)
	random := rand.New(rand.NewPCG(1, uint64(status)))
	hc := wrap(roundTripper(func(req *http.Request) (*http.Response, error) {
		got, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		assert.Equal(t, strings.Repeat(content, 50), string(got))
		req.Body.Close()
		time.Sleep(50 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if upload := req.URL.RawQuery; refusals[upload] < 3 && random.IntN(20) == 0 {
			refusals[upload]++
			return respond(req, status, "Retry-After", "1"), nil
		}
		return respond(req, 200), nil
	}))
	var workers sync.WaitGroup
	for worker := range 10 {
		workers.Go(func() {
			for i := range 100 {
				from, to := io.Pipe()
				go func() {
					for range 50 {
						_, _ = io.WriteString(to, content)
					}
					to.Close()
				}()
				resp, err := hc.Post(fmt.Sprintf("https://api.test/upload?%d", 100*worker+i), "text/plain", from)
				if !assert.NoError(t, err) {
					return
				}
				resp.Body.Close()
				if resp.StatusCode == 200 {
					mu.Lock()
					served++
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return served
}

// As many uploads of streams succeed as with a client that reads them into memory.
func TestUploadsBesideARetryingClient(t *testing.T) {
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			plain := uploads(t, status, retrying)
			ours := uploads(t, status, func(base http.RoundTripper) *http.Client {
				return &http.Client{Transport: transport(t, base)}
			})
			t.Logf("%d: forbear served %d of 1000 uploads, go-retryablehttp %d", status, ours, plain)
			assert.GreaterOrEqual(t, ours, plain)
			assert.Equal(t, 1000, plain)
		})
	}
}
