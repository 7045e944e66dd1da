package peer

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-resty/resty/v2"
)

// restyTransport lets resty, which has requests of its own, send those of net/http.
type restyTransport struct{ client *resty.Client }

func newResty(s Setting) (http.RoundTripper, error) {
	c := resty.NewWithClient(&http.Client{Transport: s.Base}).
		SetLogger(silence{}).
		SetRetryCount(3).
		SetRetryWaitTime(5 * time.Second).
		SetRetryMaxWaitTime(20 * time.Second).
		SetRetryAfter(func(_ *resty.Client, r *resty.Response) (time.Duration, error) {
			seconds, err := strconv.Atoi(r.Header().Get("Retry-After"))
			if err != nil {
				return 0, nil //nolint:nilerr // absent or a date: resty's own backoff
			}
			return time.Duration(seconds) * time.Second, nil
		}).
		AddRetryCondition(func(r *resty.Response, _ error) bool {
			return r.StatusCode() == http.StatusTooManyRequests
		})
	return restyTransport{c}, nil
}

func (t restyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	r := t.client.R().SetContext(req.Context())
	r.Header = req.Header.Clone()
	if req.Body != nil {
		r.SetBody(req.Body)
	}
	answer, err := r.Execute(req.Method, req.URL.String())
	if err != nil {
		return nil, err
	}
	resp := answer.RawResponse
	resp.Body = io.NopCloser(bytes.NewReader(answer.Body())) // resty has read it
	return resp, nil
}

// silence is a log that nobody reads.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Warnf(string, ...any)  {}
func (silence) Debugf(string, ...any) {}
