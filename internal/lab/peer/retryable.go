package peer

import (
	"net/http"

	"github.com/hashicorp/go-retryablehttp"
)

func newRetryable(s Setting) (http.RoundTripper, error) {
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{Transport: s.Base}
	c.Logger = nil
	return &retryablehttp.RoundTripper{Client: c}, nil
}
