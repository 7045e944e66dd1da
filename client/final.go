package client

import (
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// Reasons why a server refuses a request for good, so that waiting does not help.
// [FinalReason] returns them; an event of kind [EventGiveUp] has them in Err.
var (
	// ErrQuotaExhausted means that the account's credit, plan or spending limit is used
	// up: only payment or another plan helps.
	ErrQuotaExhausted = errors.New("client: quota exhausted")
	// ErrRequestTooLarge means that the request asks for more than the limit allows at
	// once. Smaller requests may pass.
	ErrRequestTooLarge = errors.New("client: request exceeds the limit by itself")
)

// FinalReason returns [ErrQuotaExhausted] or [ErrRequestTooLarge] if resp is a refusal
// that waiting does not resolve, and nil for any other response. The transport does not
// retry such a request, and does not delay others because of it. FinalReason reads the
// beginning of the body, and blocks until it arrives; resp.Body still yields the whole
// body.
func FinalReason(resp *http.Response) error {
	if resp == nil || resp.StatusCode < http.StatusBadRequest {
		return nil
	}
	var body []byte
	if resp.Body != nil && resp.Body != http.NoBody {
		body, _ = header.PeekBody(resp, math.MaxInt64) //nolint:bodyclose // it is resp, as nothing cuts the reading short
	}
	var r header.Reading
	r.Read(resp.StatusCode, resp.Header, body, time.Now())
	return finalError(&r)
}

// finalError returns why no wait ends a refusal, or nil.
func finalError(r *header.Reading) error {
	switch {
	case !r.Refused:
		return nil
	case r.Reason == header.Billing:
		return ErrQuotaExhausted
	case r.Reason == header.TooLarge:
		return ErrRequestTooLarge
	}
	return nil
}
