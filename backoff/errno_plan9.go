package backoff

// Plan 9 reports the errors of connections as text, always inside a
// net.OpError.
var errRefused, errnoLost []error
