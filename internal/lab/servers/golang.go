package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest" //nolint:depguard // servers for a moment are what it makes

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
			listening := httptest.NewServer(s.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"data":[]}`)
			})))
			all = append(all, server{
				name: s.module[len("github.com/"):] + " " + versions[s.module], setup: r.String(),
				url: listening.URL, rate: r.perSecond(), stop: listening.Close,
			})
		}
	}
	return all, nil
}
