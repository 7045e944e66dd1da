package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// An items API answers after 100 ms, and refuses as refuse says.
type items struct {
	mu              sync.Mutex
	refuse          func(req *http.Request) bool // called one at a time
	wait            string
	served, refused int
}

func (s *items) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(50 * time.Millisecond)
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}
	s.mu.Lock()
	if s.refuse(req) {
		s.refused++
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", s.wait)
	} else {
		s.served++
	}
	s.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	return resp, nil
}

// get has callers get one item after the other, of which each may take ten seconds, and pause after a failure.
func (s *items) get(t testing.TB, rt http.RoundTripper, callers int, while time.Duration, url func(i int) string) {
	ctx, cancel := context.WithTimeout(t.Context(), while)
	defer cancel()
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := c; ctx.Err() == nil; i++ {
				call, done := context.WithTimeout(ctx, 10*time.Second)
				req, err := http.NewRequestWithContext(call, http.MethodGet, url(i), nil)
				require.NoError(t, err)
				resp, err := rt.RoundTrip(req)
				if err == nil {
					require.NoError(t, resp.Body.Close())
				}
				if err != nil || resp.StatusCode != http.StatusOK {
					time.Sleep(time.Second)
				}
				done()
			}
		})
	}
	group.Wait()
}

// One item of many, or one way to ask for it, may be refused for long. A program that sends one request after the other
// shows nothing of the others meanwhile, unless it asks for one.
func TestOneURLThatIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url     func(i int) string
		refuse  func(req *http.Request) bool
		callers int
	}{
		"an item":            {func(i int) string { return fmt.Sprintf("https://api.test/items/%d", i%20) }, func(r *http.Request) bool { return r.URL.Path == "/items/7" }, 1},
		"an item, 5 at once": {func(i int) string { return fmt.Sprintf("https://api.test/items/%d", i%20) }, func(r *http.Request) bool { return r.URL.Path == "/items/7" }, 5},
		"a query":            {func(i int) string { return fmt.Sprintf("https://api.test/items?page=%d", i%20) }, func(r *http.Request) bool { return r.URL.RawQuery == "page=7" }, 2},
		"three items": {func(i int) string { return fmt.Sprintf("https://api.test/items/%d", i%20) }, func(r *http.Request) bool {
			return slices.Contains([]string{"/items/7", "/items/8", "/items/15"}, r.URL.Path)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, plain := items{refuse: c.refuse, wait: "3600"}, items{refuse: c.refuse, wait: "3600"}
			chance.Bubble(t, func(t testing.TB) {
				transport, err := client.NewTransport(&ours)
				require.NoError(t, err)
				defer transport.Close()
				ours.get(t, transport, c.callers, 5*time.Minute, c.url)
			})
			chance.Bubble(t, func(t testing.TB) { plain.get(t, retrying(&plain).Transport, c.callers, 5*time.Minute, c.url) })
			t.Logf("%d and %d served, %d and %d refused", ours.served, plain.served, ours.refused, plain.refused)
			assert.GreaterOrEqual(t, float64(ours.served), .95*float64(plain.served))
		})
	}
}

// Of a limit of all, the tests are refused, and become rare.
func TestTestsOfOtherURLsAreRare(t *testing.T) {
	t.Parallel()
	const hours = 6
	s := items{wait: "60"}
	chance.Bubble(t, func(t testing.TB) {
		limit := ratemodel.NewFixed(30, time.Minute)
		s.refuse = func(*http.Request) bool {
			refused := !limit.Admit(time.Now())
			s.wait = fmt.Sprint(int(time.Until(limit.Next(time.Now()))/time.Second) + 1)
			return refused
		}
		transport, err := client.NewTransport(&s)
		require.NoError(t, err)
		defer transport.Close()
		s.get(t, transport, 4, hours*time.Hour, func(i int) string { return fmt.Sprintf("https://api.test/items/%d", i) })
	})
	t.Logf("%d served, %d refused", s.served, s.refused)
	assert.Greater(t, s.served, hours*60*30*9/10)
	assert.Less(t, s.refused, 30+hours*8)
}
