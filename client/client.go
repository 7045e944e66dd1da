package client

import (
	"errors"
	"net/http"
)

// New returns an http.Client that stays within the limits of the APIs it calls. Its
// transport is a [Transport] over http.DefaultTransport. New returns an error if an
// option is invalid.
func New(opts ...Option) (*http.Client, error) {
	t, err := NewTransport(nil, opts...)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t}, nil
}

// Wrap returns a client with the jar, timeout and redirect policy of hc that stays within
// the limits of the APIs it calls. It sends requests through the transport of hc, which
// is not modified. The timeout of hc, if it has one, includes the time in the queue:
// a request that could not be sent within it fails at once.
func Wrap(hc *http.Client, opts ...Option) (*http.Client, error) {
	if hc == nil {
		return nil, errors.New("client: Wrap got no client; New makes one")
	}
	t, err := NewTransport(hc.Transport, opts...)
	if err != nil {
		return nil, err
	}
	wrapped := *hc
	wrapped.Transport = t
	return &wrapped, nil
}
