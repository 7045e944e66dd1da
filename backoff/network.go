package backoff

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
)

// A fate is what happened to a request that got no response.
type fate uint8

const (
	unknown   fate = iota // an error that this package does not know; it may pass
	permanent             // the same request would fail again in the same way
	unsent                // a passing failure before the server executed anything
	unclear               // a passing failure; the server may have executed the request
)

// classify sorts the errors of an [http.RoundTripper] and of an [http.Client].
// Only errors that cannot pass by themselves are permanent. A name that does not exist
// may exist again in a moment, where DNS follows the servers that are up, and a server
// that is starting may answer a handshake with an alert.
func classify(err error) fate {
	if isPermanent(err) {
		return permanent
	}
	if f := classifyOp(err); f != unknown {
		return f
	}
	if f := classifyHTTP2(err); f != unknown {
		return f
	}
	if isA[*net.DNSError](err) {
		return unsent
	}
	if isAny(err, errRefused) {
		return unsent
	}
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	if ok && timeout.Timeout() || isAny(err, errLost) || hasText(err, lostTexts) {
		return unclear
	}
	return unknown
}

func isPermanent(err error) bool {
	if u, ok := errors.AsType[*url.Error](err); ok && u.Op == "parse" {
		return true
	}
	return isA[*tls.CertificateVerificationError](err) ||
		isA[x509.UnknownAuthorityError](err) ||
		isA[x509.HostnameError](err) ||
		isA[x509.CertificateInvalidError](err) ||
		isA[*net.AddrError](err) ||
		isA[*net.ParseError](err) ||
		isA[net.UnknownNetworkError](err) ||
		hasText(err, permanentTexts)
}

// classifyOp considers which operation of package net failed. With a proxy, one such
// error may wrap another.
func classifyOp(err error) fate {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok {
		return unknown
	}
	switch op.Op {
	case "dial":
		return unsent
	case "proxyconnect", "socks connect":
		// The request did not get past the proxy, so the server did not see it.
		return unsent
	case "remote error", "local error": // a TLS alert, which may follow a request
		return unclear
	case "read", "write":
		if f := classifyOp(op.Err); f != unknown {
			return f
		}
		return unclear
	}
	return unknown
}

// Codes of RFC 9113 section 7.
const (
	http2InternalError   = 2
	http2RefusedStream   = 7
	http2EnhanceYourCalm = 11
)

// http2StreamError has the fields of the stream error that net/http does not
// export. The As method of that error fills in any struct with fields of these
// names and of convertible types (net/http/h2_error.go), which x/net/http2 uses.
type http2StreamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e http2StreamError) Error() string { return "http2 stream error" }

func classifyHTTP2(err error) fate {
	if stream, ok := errors.AsType[http2StreamError](err); ok {
		switch stream.Code {
		case http2RefusedStream:
			return unsent
		case http2InternalError, http2EnhanceYourCalm:
			return unclear
		}
		return unknown
	}
	if hasText(err, unsentTexts) {
		return unsent
	}
	return unknown
}

// The beginnings of errors that net/http neither exports nor gives a type that
// can be matched.
var (
	permanentTexts = []string{
		"unsupported protocol scheme",
		"http: no Host in request URL",
		"net/http: invalid ", // method, header or trailer
		"http: ContentLength=",
		"stopped after ", // followed by the number of redirects
	}
	unsentTexts = []string{
		// net/http returns it only for streams above the last one that the server accepted.
		"http2: Transport received Server's graceful shutdown GOAWAY",
		"http2: client conn could not be established",
		// net/http returns it where it sends a request again by itself if there is GetBody: the
		// server has not processed the stream.
		"http2: Transport: cannot retry err [",
	}
	lostTexts = []string{
		"http: server closed idle connection",
		"http2: server sent GOAWAY and closed the connection",
		"http2: Transport received GOAWAY from server",
		"http2: client connection lost",
	}
)

// errLost are the errors of a connection that broke while in use. The errors of
// the operating system usually come inside a net.OpError, but not from every
// dialer.
var errLost = append([]error{io.EOF, io.ErrUnexpectedEOF}, errnoLost...)

func isAny(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// hasText reports whether err, or an error that it wraps, begins with one of
// texts. Only beginnings count: the text of a url.Error contains the URL, which
// may contain anything.
func hasText(err error, texts []string) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		text := err.Error()
		if slices.ContainsFunc(texts, func(t string) bool { return strings.HasPrefix(text, t) }) {
			return true
		}
	}
	return false
}
