package peer

import (
	"errors"
	"net/http"
	"time"

	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit"
	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_primary_ratelimit"
)

func newGitHub(s Setting) (http.RoundTripper, error) {
	return github{github_ratelimit.New(resource{s.Base})}, nil
}

// resource adds the field by which GitHub tells its limits apart; without it the
// library takes no notice of a limit.
type resource struct{ base http.RoundTripper }

func (t resource) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err == nil && resp.Header.Get("X-RateLimit-Remaining") != "" {
		resp.Header.Set("X-RateLimit-Resource", "core")
	}
	return resp, err
}

// github makes the time that the library's error carries one that callers can see.
type github struct{ http.RoundTripper }

func (t github) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	var reached *github_primary_ratelimit.RateLimitReachedError
	if errors.As(err, &reached) && reached.ResetTime != nil {
		err = timedError{err, *reached.ResetTime}
	}
	return resp, err
}

type timedError struct {
	error
	at time.Time
}

func (e timedError) RetryAt() time.Time { return e.at }
func (e timedError) Unwrap() error      { return e.error }
