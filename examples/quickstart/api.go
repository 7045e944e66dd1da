package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// limits are those of the API: both hold at once. An hour or a minute would be long
// to look on, so their windows are short.
type limits struct {
	burst     int           // requests a second
	sustained int           // requests in period
	period    time.Duration // longer than a second
	into      time.Duration // how far into the windows the first request comes
}

// models returns the limiters of an API that is first used at start.
func (l limits) models(start time.Time) ratemodel.Model {
	burst, sustained := ratemodel.NewFixed(l.burst, time.Second), ratemodel.NewFixed(l.sustained, l.period)
	burst.Name, sustained.Name = "Burst", "Sustained"
	burst.Origin = start.Add(-l.into)
	sustained.Origin = burst.Origin
	return ratemodel.All{burst, sustained}
}

// An api is a server on the loopback interface.
type api struct {
	*apiserver.Server
	http http.Server
	url  string
}

// serve starts an API. Each response tells both limits: X-RateLimit-Limit-Burst,
// X-RateLimit-Remaining-Burst and X-RateLimit-Reset-Burst, the same for Sustained;
// refusals have Retry-After, too. Resets are delays with three decimals: rounded to
// whole seconds they would say nothing about a window of one.
func serve(ctx context.Context, l limits, start time.Time) (*api, error) {
	limited, err := apiserver.New(apiserver.Config{
		Rules: []apiserver.Rule{{
			Model: func(string) ratemodel.Model { return l.models(start) },
			Dialect: apiserver.Dialect{
				Fields: apiserver.Suffixed, Form: apiserver.Delta, Rounding: apiserver.Exact,
				RetryAfter: apiserver.Seconds,
			},
		}},
		Handler: items(),
	})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &api{Server: limited, url: "http://" + listener.Addr().String()}
	a.http.Handler = limited
	a.http.ReadHeaderTimeout = time.Minute
	go func() { _ = a.http.Serve(listener) }() // it always ends with an error: close asks it to
	return a, nil
}

func (a *api) close() { _ = a.http.Close() } // the listener is gone in any case

// possible returns how many requests a client that knows everything could have had
// admitted.
func (a *api) possible(from, to time.Time) int {
	return ratemodel.Greedy(a.Fresh(""), from, to, 0)
}

// An item is what the API has to give.
type item struct {
	ID int64 `json:"id"`
}

// items answers /items/7 with {"id":7}.
func items() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(item{ID: id}) // an error means that the client has gone
	})
	return mux
}
