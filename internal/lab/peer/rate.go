package peer

import (
	"net/http"

	"golang.org/x/time/rate"
)

type rateTransport struct {
	base    http.RoundTripper
	limiter *rate.Limiter
}

func newRate(whole bool) func(Setting) (http.RoundTripper, error) {
	return func(s Setting) (http.RoundTripper, error) {
		burst := 1
		if whole {
			burst = s.Rate.Limit
		}
		return rateTransport{s.Base, rate.NewLimiter(rate.Every(s.Rate.Interval()), burst)}, nil
	}
}

func (t rateTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.limiter.Wait(req.Context()); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	return t.base.RoundTrip(req)
}
