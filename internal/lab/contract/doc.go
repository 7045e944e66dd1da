// Package contract tries wrappers of an http.RoundTripper against clauses that its
// contract, the HTTP specification or plain prudence ask for, with the same
// requests and answers for each.
package contract
