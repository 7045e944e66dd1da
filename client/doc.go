// Package client makes HTTP clients that use all of an API's rate limit and never
// exceed it.
//
//	hc, err := client.New()
//	...
//	resp, err := hc.Get("https://api.example.com/items") // waits when it must
//
// There is nothing to configure: the client reads the API's limits from its responses,
// in any header dialect. Every request passes through one queue, in which it waits until
// each limit that applies to it allows it; as soon as a response changes a limit, the
// queue is planned again. A request that the API refuses nevertheless is retried when
// the API asked for it, and failures are retried where that is safe.
//
// [New] and [Wrap] return an ordinary [http.Client] for any program or SDK that
// takes one. [NewTransport] returns the [http.RoundTripper] itself, whose methods
// [Transport.Status] and [Transport.Snapshot] report what is known of the limits.
//
// Options set the thresholds, and what is retried; [WithRule] adds bounds, and limits
// that the API does not announce; [WithObserver] shows a program every decision, and
// package observe has observers that log, record and warn. For a single request,
// [NoWait], [NoRetry], [WithKey], [WithScope], [WithPriority] and [WithCost] set
// options through its context. A request that cannot be sent in time fails with an [*Error].
//
// The package puts the others together and decides nothing about limits itself: package
// queue lets requests wait, package throttle says what a server allows, package backoff
// what follows a failure. Start reading at [Transport.RoundTrip]; docs/concepts.md has a
// request's way through the files.
package client
