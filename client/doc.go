// Package client makes HTTP clients that use all of an API's rate limit and never
// exceed it.
//
//	hc, err := client.New()
//	...
//	resp, err := hc.Get("https://api.example.com/items") // waits when it must
//
// There is nothing to configure: what the API allows is read from its responses,
// in whichever header dialect it speaks. Every request passes one queue, in which
// it waits until each limit that applies to it lets it go; as soon as a response
// brings news, the queue is planned again. A request that the API refuses all the
// same is retried when the API said, and failures are retried where that is safe.
//
// [New] and [Wrap] return an ordinary [http.Client] for any program or SDK that
// takes one. [NewTransport] returns the [http.RoundTripper] itself, of which
// [Transport.Status] and [Transport.Snapshot] tell what is believed of the limits.
//
// Options tune the thresholds, and what is retried; [WithRule] adds limits that no
// response tells, and bounds on requests under way; [WithObserver] lets a program see every decision, and
// package observe has observers that log, keep and warn. For one request,
// [NoWait], [NoRetry], [WithKey], [WithScope], [WithPriority] and [WithCost] decide
// through its context. A request that cannot go in time fails with an [*Error].
//
// The package puts the others together and decides nothing about limits itself: package
// queue lets requests wait, package throttle says what a server allows, package backoff
// what follows a failure. Start reading at [Transport.RoundTrip]; a request's way through
// the files is in docs/concepts.md.
package client
