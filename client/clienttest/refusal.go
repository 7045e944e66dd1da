package clienttest

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// A Refusal says how the server refuses. The zero value is a 429 with Retry-After in
// seconds and a JSON body.
type Refusal struct {
	// Status is the status, 429 if it is 0.
	Status int
	// NoRetryAfter leaves Retry-After out; HTTPDate writes it as a date.
	NoRetryAfter, HTTPDate bool
	// Body is the body. ContentType is its type, application/json if it is empty.
	Body, ContentType string
	// Write writes the response, if not nil, in place of Status and Body. The wait is
	// the time until a request would be admitted. What the limits announce, and
	// Retry-After, are in the header already.
	Write func(w http.ResponseWriter, r *http.Request, wait time.Duration)
}

func (f Refusal) apply(c *config) {
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		c.failf("the status of a Refusal must be from 200 to 599, got %d", f.Status)
	}
	c.refusal = f
}

func (f Refusal) retryAfter() apiserver.RetryAfter {
	switch {
	case f.NoRetryAfter:
		return apiserver.NoRetryAfter
	case f.HTTPDate:
		return apiserver.HTTPDate
	}
	return apiserver.Seconds
}

func (f Refusal) custom() bool { return f.Status != 0 || f.Body != "" || f.Write != nil }

func (f Refusal) write(w http.ResponseWriter, r *http.Request, why apiserver.Refusal) {
	if f.Write != nil {
		f.Write(w, r, why.Wait)
		return
	}
	if f.ContentType == "" {
		f.ContentType = "application/json"
	}
	if f.Status == 0 {
		f.Status = http.StatusTooManyRequests
	}
	if f.Body == "" {
		f.Body = `{"error":"Rate limit exceeded"}` + "\n"
	}
	w.Header().Set("Content-Type", f.ContentType)
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body)) // an error means that the client has gone
}
