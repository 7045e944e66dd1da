package apiserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// NewBCB returns an API with the limits of the Bermuda Commercial Bank: 300
// requests an hour for each user (or IP address, without a credential), in a
// fixed window that the first request starts, and beside it one request in two
// seconds, of all users together, to create virtual accounts. No header tells of
// either. A refusal names the end of the window as retry_after in its body; one
// for the pace has Retry-After in seconds instead.
//
// A creation is a POST to a path that contains virtual-accounts; it is answered
// 201. For speed and change see NewBindbee.
//
// Source: the page "Rate Limiting" of the Bermuda Commercial Bank RESTful Open
// Banking API documentation.
func NewBCB(speed float64, change ...func(*Config)) (*Server, error) {
	hour, err := scaled(time.Hour, speed)
	if err != nil {
		return nil, err
	}
	pace, err := scaled(2*time.Second, speed)
	if err != nil {
		return nil, err
	}
	window := Dialect{Rounding: rounding(speed), RetryAfter: InBody}
	const limit = 300
	return build(Config{
		Key:     credentialOrAddress,
		Handler: bcbHandler(),
		Rules: []Rule{{
			Model: func(string) ratemodel.Model {
				f := ratemodel.NewFixed(limit, hour)
				f.FromFirst = true
				return f
			},
			Dialect: window,
			Body: func(f Refusal) any {
				return refusalBody{
					Error: "Rate limit exceeded",
					Message: fmt.Sprintf("You have exceeded the %d requests per 60 minutes limit. "+
						"Please wait for the rate limit to reset.", limit),
					RetryAfter: window.timestamp(f.Until),
				}
			},
		}, {
			Match: createsVirtualAccount,
			Key:   func(*http.Request) string { return "" },
			// Spacing by the last one alone: at least so long between any two.
			Model:   func(string) ratemodel.Model { return ratemodel.NewSlidingLog(1, pace) },
			Dialect: Dialect{RetryAfter: Seconds},
		}},
	}, change)
}

func createsVirtualAccount(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "virtual-accounts")
}

func credentialOrAddress(r *http.Request) string {
	if c := Credential(r); c != "" {
		return c
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

func bcbHandler() http.Handler {
	var created atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !createsVirtualAccount(r) {
			ok(w, r)
			return
		}
		w.Header()["Content-Type"] = jsonType
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, fmt.Sprintf(`{"id":"va-%06d"}`, created.Add(1)))
	})
}
