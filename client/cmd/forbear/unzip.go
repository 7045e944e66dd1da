package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// An unzipper unpacks errors that a server compressed, as net/http itself does where it was
// not the caller who asked for that: the body of a refusal may say how long to wait.
type unzipper struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (u unzipper) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := u.Transport.RoundTrip(r)
	if err != nil || resp.StatusCode < http.StatusBadRequest || resp.ContentLength == 0 || r.Method == http.MethodHead ||
		!strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") || strings.Contains(resp.Header.Get("Cache-Control"), "no-transform") {
		return resp, err
	}
	resp.Body = &unzipped{ReadCloser: resp.Body}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
	return resp, nil
}

// An unzipped is a compressed body that is read as it was before.
type unzipped struct {
	io.ReadCloser

	plain *gzip.Reader // nil until the first Read
}

func (z *unzipped) Read(p []byte) (int, error) {
	if z.plain == nil {
		plain, err := gzip.NewReader(z.ReadCloser)
		if err != nil {
			return 0, err
		}
		z.plain = plain
	}
	return z.plain.Read(p)
}
