// Package header reads what a response of any API says about rate limits: the
// limits, how much is left of each and until when; whether the server refused the
// request because of one; and how long to wait.
//
// It reads names by a grammar and values by their notation, and knows few vendors
// by name, so that it reads unknown APIs as well. The rules, a
// table of all responses that they were tested with, and how to add a dialect are in
// docs/headers.md. The standards behind them are RFC 9110 section 10.2.3
// (Retry-After), RFC 6585 section 4 (429) and all generations of
// draft-ietf-httpapi-ratelimit-headers.
//
// A [Reading] reads any response. A [Reader] does it faster for the
// responses of one host, and knows that host's [Dialect]. Neither fails:
// what cannot be read is reported as not known, and no input makes them panic, take
// more than linear time, or report a negative or endless wait.
package header
