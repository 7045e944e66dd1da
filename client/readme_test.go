package client_test

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/observe"
	"github.com/forbear-go/forbear/queue"
)

// The code of the README.

func use(url string) error {
	hc, err := client.New() // or client.Wrap(yours), or client.NewTransport(base)
	if err != nil {
		return err
	}
	resp, err := hc.Get(url) // waits when it must, and no longer
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func explain(err error) {
	if limited, ok := errors.AsType[*client.Error](err); ok && !limited.Until.IsZero() {
		log.Printf("limit %s, come back in %v", limited.Limit, time.Until(limited.Until))
	}
}

func declare() (*http.Client, error) {
	hc, err := client.New(
		client.WithRule(queue.Rule{Name: "hourly", Limits: []queue.Quota{queue.PerHour(300)}}),
		client.WithRule(queue.Rule{
			Name: "accounts", Pattern: "POST /accounts", Scope: queue.Global,
			Limits: []queue.Quota{queue.Every(2 * time.Second)},
		}),
	)
	return hc, err
}

func watchIt() (*http.Client, error) {
	warn, err := observe.Warn(func(l observe.Level) {
		log.Printf("%s: %v", []string{"OK", "WARNING", "CRITICAL"}[l.Below], l.Limit)
	}, 0.25, 0.1)
	if err != nil {
		return nil, err
	}
	hc, err := client.New(
		client.WithObserver(observe.Log(slog.Default())),
		client.WithObserver(warn),
	)
	return hc, err
}

func look(url string) error {
	transport, err := client.NewTransport(nil) // over http.DefaultTransport
	if err != nil {
		return err
	}
	hc := &http.Client{Transport: transport}
	resp, err := hc.Get(url)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestReadme(t *testing.T) {
	log.SetOutput(t.Output())
	defer log.SetOutput(os.Stderr)
	exhausted, free := used(), open()
	defer exhausted.Close()
	defer free.Close()

	require.NoError(t, use(free.URL))
	require.NoError(t, look(free.URL))
	hc, err := client.New()
	require.NoError(t, err)
	resp, err := hc.Get(exhausted.URL) // tells that the quota is used up
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	_, err = hc.Get(exhausted.URL)
	require.ErrorIs(t, err, client.ErrMaxWait)
	explain(err)

	hc, err = declare()
	require.NoError(t, err)
	for _, want := range []error{nil, context.DeadlineExceeded} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, free.URL+"/accounts", nil)
		require.NoError(t, err)
		resp, err := hc.Do(req)
		require.ErrorIs(t, err, want)
		if err == nil {
			require.NoError(t, resp.Body.Close())
		}
	}

	hc, err = watchIt()
	require.NoError(t, err)
	resp, err = hc.Get(free.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}
