package peer

import (
	"net/http"
	"strconv"
	"time"
)

// throttlerTransport is the proactive throttler of a guide: whoever gets a response
// that says that little is left waits until the reset.
type throttlerTransport struct{ base http.RoundTripper }

const (
	throttleThreshold = 5
	throttleExtra     = time.Second
)

func newThrottler(s Setting) (http.RoundTripper, error) { return throttlerTransport{s.Base}, nil }

func (t throttlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	if number(resp, "X-RateLimit-Remaining") > throttleThreshold {
		return resp, nil
	}
	reset := time.Until(time.Unix(int64(number(resp, "X-RateLimit-Reset")), 0))
	if reset <= 0 {
		return resp, nil
	}
	if err := sleep(req.Context(), reset+throttleExtra); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// number returns a field as the guide reads it: 0 if it is not there.
func number(resp *http.Response, field string) int {
	n, err := strconv.Atoi(resp.Header.Get(field))
	if err != nil {
		return 0
	}
	return n
}
