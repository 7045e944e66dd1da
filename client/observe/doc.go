// Package observe provides observers for [client.WithObserver]. They log the decisions of a
// client, record them, or warn when little of a limit is left.
//
//	recorder := observe.NewRecorder(1000)
//	hc, err := client.New(
//		client.WithObserver(observe.Log(slog.Default())),
//		client.WithObserver(recorder.Record),
//	)
//
// An observer is just a function: write your own for metrics and traces. All
// observers of this package are safe for concurrent use and show no credentials. They
// block only on a briefly held lock or, in the case of [Log], on the handler.
package observe
