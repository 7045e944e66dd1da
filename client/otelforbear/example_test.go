package otelforbear_test

import (
	"fmt"
	"net/http"

	"github.com/forbear-go/forbear/client"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/forbear-go/forbear/client/otelforbear"
)

func reported(base http.RoundTripper, meters metric.MeterProvider, tracers trace.TracerProvider) (*http.Client, error) {
	observer, err := otelforbear.New(otelforbear.Config{MeterProvider: meters, TracerProvider: tracers})
	if err != nil {
		return nil, err
	}
	transport, err := client.NewTransport(base, client.WithObserver(observer.Observe))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport}, observer.Watch(transport)
}

func ExampleNew() {
	var meters metric.MeterProvider  // of the OpenTelemetry SDK; nil here
	var tracers trace.TracerProvider // likewise
	_, err := reported(nil, meters, tracers)
	fmt.Println(err)
	// Output: otelforbear: Config has neither a MeterProvider nor a TracerProvider
}
