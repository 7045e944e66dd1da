// Package observe has observers for [client.WithObserver]: they log what a client
// decides, keep it, or warn when little of a limit is left.
//
//	recorder := observe.NewRecorder(1000)
//	hc, err := client.New(
//		client.WithObserver(observe.Log(slog.Default())),
//		client.WithObserver(recorder.Record),
//	)
//
// An observer is only a function: write your own for metrics and traces. All
// observers of this package are safe for concurrent use, never block on anything but
// a lock held briefly (or, for [Log], the handler), and show no credentials.
package observe
