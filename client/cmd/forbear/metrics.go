package main

import (
	"net/http"

	"github.com/forbear-go/forbear/client/otelforbear"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
)

// newMetrics returns an observer and a handler that serves what it counts to Prometheus.
func newMetrics() (*otelforbear.Observer, http.Handler, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, nil, err
	}
	observer, err := otelforbear.New(otelforbear.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)), KeyNames: true,
	})
	return observer, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), err
}
