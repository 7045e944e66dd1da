package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest" //nolint:depguard // servers for a moment are what it makes

	"github.com/didip/tollbooth/v7"
	"github.com/go-chi/httprate"
	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/middleware/stdlib"
	"github.com/ulule/limiter/v3/drivers/store/memory"

	"github.com/forbear-go/forbear/internal/lab"
)

// goServers starts those that are written in Go.
func goServers(context.Context) ([]server, error) {
	versions, err := lab.Versions("go.mod")
	if err != nil {
		return nil, err
	}
	var all []server
	for _, r := range rates {
		ulule := stdlib.NewMiddleware(limiter.New(memory.NewStore(), limiter.Rate{Limit: int64(r.limit), Period: r.window}))
		for _, s := range []struct {
			module string
			wrap   func(http.Handler) http.Handler
		}{
			{"github.com/go-chi/httprate", httprate.LimitBy(r.limit, r.window, httprate.Key("*"))},
			{"github.com/ulule/limiter/v3", ulule.Handler},
		} {
			all = append(all, goServer(s.module, versions, r.String(), r.perSecond(), s.wrap))
		}
	}
	// tollbooth knows seconds alone: a bucket that takes as much as flows in.
	const perSecond = 10
	toll := tollbooth.NewLimiter(perSecond, nil)
	return append(all, goServer("github.com/didip/tollbooth/v7", versions, "10 a second", perSecond, func(h http.Handler) http.Handler {
		return tollbooth.LimitHandler(toll, h)
	})), nil
}

// goServer starts one.
func goServer(module string, versions map[string]string, setup string, rate float64, wrap func(http.Handler) http.Handler) server {
	listening := httptest.NewServer(wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[]}`)
	})))
	return server{
		name: module[len("github.com/"):] + " " + versions[module], setup: setup,
		url: listening.URL, rate: rate, stop: listening.Close, announced: true,
	}
}
