package otelforbear

import (
	"net/http"

	"github.com/forbear-go/forbear/client"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// CountResends returns a transport that sends over base, or over
// http.DefaultTransport if base is nil, and sets http.request.resend_count on the span of
// each attempt after the first. It belongs right below the transport that starts spans,
// which is below the client:
//
//	client.NewTransport(otelhttp.NewTransport(otelforbear.CountResends(base)))
func CountResends(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return resends{base}
}

type resends struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r resends) RoundTrip(req *http.Request) (*http.Response, error) {
	if n := client.AttemptOf(req.Context()); n > 1 {
		trace.SpanFromContext(req.Context()).SetAttributes(attribute.Int("http.request.resend_count", n-1))
	}
	return r.base.RoundTrip(req)
}

// CloseIdleConnections closes those of the base transport, if it can.
func (r resends) CloseIdleConnections() {
	if c, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
