// Package limit holds the limits that requests are measured against: what a request asks for
// ([Demand]), what a limit answers ([Decision]), and the algorithms that count ([Limiter]).
//
// A [Quota] is a limit written down as a value, such as 300 per minute; [Quota.Limiter] makes the
// limiter that keeps it, in a rolling window, a fixed window, a token bucket or a sliding counter. All
// of them allow for requests that overtake each other on the way to the server.
//
// The package is a leaf: it imports nothing else of this module, does no I/O, reads no clock and knows
// nothing of HTTP. Package queue asks limiters, and package client hangs one on each key. Start reading
// at limiter.go; the log of requests that all algorithms but one share is slidinglog.go.
package limit
