// Package backoff decides what happens after an HTTP attempt fails: whether to
// retry it, and when.
//
// A [Strategy] combines three parts, which can also be used alone:
//
//   - a [Policy] decides how long to wait before a retry,
//   - a [Check] decides whether an attempt is worth a retry,
//   - a [Budget] bounds the retries of one key to a share of its traffic.
//
// The package sends nothing and never sleeps. Apart from clock and random numbers,
// its results depend only on what the caller passes in. A Strategy also fits into
// the retry loop of github.com/hashicorp/go-retryablehttp.
//
// Attempts are counted from 1. Retries are the attempts after the first and are
// counted from 1 too: retry 1 is attempt 2.
//
// The package imports nothing else of this module. Start reading at [Strategy.Next];
// check.go and network.go decide what is retried.
package backoff

import "errors"

// ErrInvalid matches, with [errors.Is], every error that a constructor of this
// package returns. The text of such an error contains the invalid value.
var ErrInvalid = errors.New("invalid parameter")
