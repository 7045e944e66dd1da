package client_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A limitedRoute sheds load, and admits only so many requests of the route /x.
type limitedRoute struct {
	randomShedder
	model           ratemodel.Model
	passed, refused int
}

func (s *limitedRoute) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path != "/x" {
		return s.randomShedder.RoundTrip(req)
	}
	s.mu.Lock()
	admitted := s.model.Admit(time.Now())
	if !admitted {
		s.refused++
	}
	s.mu.Unlock()
	if !admitted {
		time.Sleep(90 * time.Millisecond)
		return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
	}
	resp, err := s.randomShedder.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusOK {
		s.mu.Lock()
		s.passed++
		s.mu.Unlock()
	}
	return resp, err
}

// Routes that are seen to be refused by chance make others be doubted that are refused too. One that has a limit of its own
// is used no less for that, and refused little more often.
func TestALimitBesideShedding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit  int
		window time.Duration
		used   float64 // of what go-retryablehttp uses
	}{
		"5 a second":  {5, time.Second, 1},
		"60 a minute": {60, time.Minute, .85},
		"1 in 2 s":    {1, 2 * time.Second, .85},
		"10 in 10 s":  {10, 10 * time.Second, .9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if chance.Raced && c.limit > 1 {
				t.Skip("it takes too long")
			}
			chance.Test(t, func(t testing.TB) {
				var ours, plain limitedRoute
				for seed := range uint64(2) {
					ours.add(beside(t, seed, c.limit, c.window, func(base http.RoundTripper) http.RoundTripper {
						transport, err := client.NewTransport(base)
						require.NoError(t, err)
						return transport
					}))
					plain.add(beside(t, seed, c.limit, c.window, func(base http.RoundTripper) http.RoundTripper { return retrying(base).Transport }))
				}
				t.Logf("%d and %d of the limited route, %d and %d refused, %d and %d of the others: %s",
					ours.passed, plain.passed, ours.refused, plain.refused, ours.served, plain.served, t.Name())
				assert.GreaterOrEqual(t, float64(ours.passed), c.used*float64(plain.passed))
				assert.Less(t, float64(ours.refused), 1.6*float64(plain.refused))
				assert.Greater(t, float64(ours.served), 1.05*float64(plain.served))
			})
		})
	}
}

func (s *limitedRoute) add(other *limitedRoute) {
	s.passed, s.refused, s.served = s.passed+other.passed, s.refused+other.refused, s.served+other.served-other.passed
}

// beside has twenty callers, two of each of ten routes, send one request after the other for five minutes.
func beside(t testing.TB, seed uint64, limit int, window time.Duration, wrap func(http.RoundTripper) http.RoundTripper) *limitedRoute {
	s := &limitedRoute{randomShedder: randomShedder{rng: rand.New(rand.NewPCG(seed, 1)), share: .05, status: http.StatusTooManyRequests}}
	chance.Bubble(t, func(t testing.TB) {
		s.model = ratemodel.NewFixed(limit, window)
		rt := wrap(s)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		ask(ctx, t, rt, 20, func(caller, _ int) string { return "https://api.test/" + strings.Repeat("x", caller%10+1) })
		if transport, ok := rt.(*client.Transport); ok {
			transport.Close()
		}
	})
	return s
}
