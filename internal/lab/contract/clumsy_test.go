package contract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// clumsy breaks whatever can be broken.
type clumsy struct{ base http.RoundTripper }

func (c clumsy) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		text, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(text))
	}
	resp, err := c.base.RoundTrip(req)
	if err != nil || resp.StatusCode < 300 {
		return resp, err
	}
	if deadline, ok := req.Context().Deadline(); ok && resp.Header.Get("Retry-After") != "" && time.Until(deadline) < time.Minute {
		time.Sleep(time.Until(deadline))
		err = errors.New("gave up")
	}
	again, _ := c.base.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
	if again.StatusCode >= 500 {
		err = errors.New("gave up")
		c.base.(*probe).CloseIdleConnections()
	}
	if err != nil {
		return nil, err
	}
	return again, nil
}

// Every clause can be broken, and the probe sees it.
func TestProbe(t *testing.T) {
	for _, clause := range Clauses() {
		t.Run(clause.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				assert.NotEmpty(t, clause.Try(t.Context(), func(base http.RoundTripper) (http.RoundTripper, error) {
					return clumsy{base}, nil
				}))
			})
		})
	}
}
