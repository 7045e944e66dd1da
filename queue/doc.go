// Package queue provides a queue in which requests wait until every limit that applies to them allows
// them to be sent.
//
// A [Queue] holds waiting requests by key, bucket and priority. The first request in line spends from
// all the limits that apply to it at once, or from none. The queue does not reserve times in the
// future: it grants a permit only when the request may be sent, so that every response, cancellation
// and changed limit takes effect for all requests that still wait.
//
// Limits come from two sources. A [Rule] holds documented limits ("600 per minute per key", "1 every
// 2 s on this route, over all keys", "at most 10 in flight"). [WithKeyLimit] gives each key a [limit.Limiter]
// that the caller implements, for limits that are learned from responses; see [Queue.Update] and
// [Permit.Settle]. The queue imports package limit, and nothing else of this module.
//
// The package does no I/O, and of HTTP it knows only the method, host and path that rules match.
//
// Start reading at [Queue.Acquire], which ends in acquire.go if the request has to wait; dispatch.go grants the
// permits. flow.go, entry.go, class.go and waitqueue.go hold the waiting requests, ahead.go tells how many go
// first.
package queue
