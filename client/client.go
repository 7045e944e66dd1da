package client

import (
	"errors"
	"net/http"
)

// New returns an http.Client that keeps to the limits of the APIs it talks to. Its
// transport is a [Transport] over http.DefaultTransport. An option that makes no
// sense is an error.
func New(opts ...Option) (*http.Client, error) {
	t, err := NewTransport(nil, opts...)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t}, nil
}

// Wrap returns a client like hc, with its jar, its timeout and its redirect
// policy, that keeps to the limits of the APIs it talks to. hc is not changed; its
// transport is used below. The timeout of hc, if it has one, includes the time in
// the queue: a request that could not be sent within it fails at once.
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
