package simnet

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

func retrying(tr http.RoundTripper) func(*http.Request) (*http.Response, error) {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.HTTPClient = &http.Client{Transport: tr}
	return c.StandardClient().Do
}

func TestBareTransportIsRefusedMostOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, twoHundredAMinute, epoch)
		tr := New(s, 1)
		began := time.Now()
		r := Load{Server: s, Do: tr.RoundTrip, Until: began.Add(2 * time.Minute)}.Run(t.Context())
		t.Log(r)
		require.Equal(t, 2*time.Minute, time.Since(began))
		require.Equal(t, 400, r.Possible)
		require.Equal(t, 400, r.Counts.Admitted)
		require.Equal(t, 1.0, r.UsedShare())
		// 20 callers and a round trip of 120 ms make 20,000 requests.
		require.InDelta(t, 20_000, r.Counts.Requests, 500)
		require.InDelta(t, .98, r.RefusedShare(), .01)
		require.Equal(t, 400, r.Answers[200])
		// The server also counted what was on its way back at the end.
		require.InDelta(t, r.Counts.Refused, r.Answers[429], 20)
		require.Zero(t, r.Errors)
		require.Zero(t, tr.Open())
		require.InDelta(t, 120, r.Wait(.5).Milliseconds(), 5)
		require.LessOrEqual(t, r.Wait(1), 160*time.Millisecond)
	})
}

func TestRetryingClient(t *testing.T) {
	for name, c := range map[string]struct {
		model   func() ratemodel.Model
		dialect apiserver.Dialect
		refused float64
		within  float64
	}{
		// Each of 20 callers is refused once a window, before 200 come through.
		"fixed window": {twoHundredAMinute, epoch, 20. / 220, .005},
		"Retry-After alone": {func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) },
			apiserver.Dialect{RetryAfter: apiserver.Seconds}, 20. / 320, .005},
		"rolling window, no Retry-After": {func() ratemodel.Model { return ratemodel.NewSlidingLog(60, time.Minute) },
			apiserver.Dialect{Fields: apiserver.XRateLimit}, .85, .05},
		"token bucket": {func() ratemodel.Model { return ratemodel.NewBucket(120, 120, time.Minute) }, epoch, .9, .04},
		"two windows": {func() ratemodel.Model {
			return ratemodel.All{ratemodel.NewFixed(10, time.Second), ratemodel.NewFixed(100, time.Minute)}
		}, epoch, .64, .06},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := server(t, c.model, c.dialect)
				tr := New(s, 1)
				r := tenWindows(Load{Server: s, Do: retrying(tr)}).Run(t.Context())
				t.Log(r)
				require.InDelta(t, c.refused, r.RefusedShare(), c.within)
				require.InDelta(t, 1, r.UsedShare(), .005)
				require.Len(t, r.Answers, 1, "it hands out successes and errors, no refusals")
				require.Zero(t, tr.Open())
			})
		})
	}
}

func told(tr *Transport, limits ratemodel.Model) func(*http.Request) (*http.Response, error) {
	turn := make(chan struct{}, 1)
	return func(r *http.Request) (*http.Response, error) {
		select {
		case turn <- struct{}{}:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		err := sleep(r.Context(), time.Until(limits.Next(time.Now())))
		if err == nil {
			limits.Admit(time.Now())
		}
		<-turn
		if err != nil {
			return nil, err
		}
		return tr.RoundTrip(r)
	}
}

func TestADayOfThreeWindowsIsFeasible(t *testing.T) {
	if testing.Short() || chance.Raced {
		t.Skip("270,000 requests")
	}
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		s, err := apiserver.NewBundleport(apiserver.BundleportLimits{}, 1)
		require.NoError(t, err)
		l := Load{Server: s, Start: time.Now(), Until: time.Now().Add(26 * time.Hour)}
		l.Do = told(New(s, 1), s.Fresh("key"))
		r := l.Run(t.Context())
		t.Log(r)
		require.Equal(t, 280_000, r.Possible)
		require.Greater(t, r.Counts.Requests, 270_000)
		require.Less(t, r.RefusedShare(), .001)
		require.Greater(t, r.UsedShare(), .999)
	})
	took := time.Since(began)
	t.Logf("26 h took %v", took)
	require.Less(t, took, time.Minute, "it takes about 4 s on two idle cores")
}

func BenchmarkRoundTrip(b *testing.B) {
	b.ReportAllocs()
	s, err := apiserver.NewBundleport(apiserver.BundleportLimits{}, 1)
	require.NoError(b, err)
	tr := New(s, 1)
	tr.Min, tr.Max = 0, 0
	req := get(context.Background(), "key")
	for b.Loop() {
		res, err := tr.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		res.Body.Close()
	}
}
