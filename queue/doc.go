// Package queue is the queue in which requests wait until every limit that applies to them agrees.
//
// A [Queue] holds waiting requests by key, bucket and priority. The first asks all the limits that
// apply and takes from all of them at once, or from none. No request is promised a moment in the
// future: a permit is given when it is due, so that every response, cancellation and changed limit
// plans everyone behind it again.
//
// Limits come from two sides. [Rule] values hold the limits that a program declares ("600 per minute
// per key", "1 every 2 s on this route for all keys", "at most 10 in flight"). [WithKeyLimit] hangs
// one [limit.Limiter] of the caller's own making on each key, for what is learned from responses; see
// [Queue.Update] and [Permit.Settle]. The queue imports package limit, and nothing else of this module.
//
// The package does no I/O and knows nothing of HTTP beyond the method, host and path that rules match.
package queue
