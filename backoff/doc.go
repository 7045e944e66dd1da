// Package backoff decides what happens after an HTTP attempt that failed: is it
// worth a retry, and when.
//
// Three parts can be used alone and are joined by a [Strategy]:
//
//   - a [Policy] says how long to wait before a retry,
//   - a [Check] says whether what happened is worth a retry,
//   - a [Budget] bounds the share of retries in the traffic of one key.
//
// The package sends nothing and never sleeps. Times and random numbers aside,
// it is arithmetic on what the caller passes in. A Strategy also fits into the
// retry loop of github.com/hashicorp/go-retryablehttp.
//
// Attempts are counted from 1. Retries are the attempts after the first and are
// counted from 1 too: retry 1 is attempt 2.
package backoff

import "errors"

// ErrInvalid is matched, with [errors.Is], by every error that a constructor of
// this package returns. The text of such an error names the value refused.
var ErrInvalid = errors.New("invalid parameter")
