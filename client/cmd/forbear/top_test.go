package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/page"
	"github.com/stretchr/testify/require"
)

func TestTop(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "60")
		w.Header().Set("X-RateLimit-Remaining", "30")
		w.Header().Set("X-RateLimit-Reset", "3600")
	})
	p := start(t, "-to", api.URL)
	status, _ := ask(t, http.MethodGet, p.url, "")
	require.Equal(t, http.StatusOK, status)
	out, errors, status := runs(t, "", "top", "-once", "-url", p.url+"/-/")
	require.Zero(t, status, errors)
	require.Contains(t, out, "1 key, 0 waiting, ")
	require.Contains(t, out, "0 waiting, 0 in flight, 1 sent, 0 refused")
	require.Contains(t, out, "██████████░░░░░░░░░░ 30 of 60 left, opens in 1 h")
	out, _, status = runs(t, "", "top", "-once", "-url", p.url+"/-/", "-search", "nobody")
	require.Zero(t, status)
	require.Contains(t, out, "0 keys")

	// Without -once it looks again until it is interrupted.
	ctx, cancel := context.WithCancel(t.Context())
	screen, in := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"top", "-every", "1ms", "-url", p.url + "/-/"}, &streams{nil, in, io.Discard})
	}()
	frame := make([]byte, 4096)
	for range 3 {
		n, err := screen.Read(frame)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(frame[:n]), "\x1b[H\x1b[2J1 key, "))
	}
	cancel()
	go func() { _, _ = io.Copy(io.Discard, screen) }()
	require.Zero(t, <-ended)
}

func TestTopErrors(t *testing.T) {
	t.Parallel()
	answer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/text" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "hello")
	})
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "is no URL", []string{"-url", "x"}},
		{2, "must be positive", []string{"-every", "0s"}},
		{2, "must be positive", []string{"-n", "0"}},
		{1, "connection refused", []string{"-url", "http://127.0.0.1:1"}},
		{1, "404", []string{"-url", answer.URL}},
		{1, "no page of limits", []string{"-url", answer.URL + "/text"}},
	} {
		_, errors, status := runs(t, "", append([]string{"top", "-once"}, c.args...)...)
		require.Equal(t, c.status, status, errors)
		require.Contains(t, errors, c.want)
	}
}

// A proxy that starts again does not end what watches it.
func TestTopGoesOn(t *testing.T) {
	t.Parallel()
	looks := 0
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if looks++; looks == 2 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, `{"found":7}`)
	})
	ctx, cancel := context.WithCancel(t.Context())
	screen, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"top", "-every", "1ms", "-url", api.URL}, &streams{nil, in, in})
		_ = in.Close()
	}()
	frame := make([]byte, 4096)
	for _, want := range []string{"7 keys", "the page answered 502", "7 keys"} {
		n, err := screen.Read(frame)
		require.NoError(t, err)
		require.Contains(t, string(frame[:n]), want)
	}
	cancel()
	go func() { _, _ = io.Copy(io.Discard, screen) }()
	require.Zero(t, <-ended)
}

func TestTable(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	text := table(&page.View{Time: now, Found: 2, Waiting: 7, Keys: []page.Key{{
		ID: "abc", Host: "api.test", Name: "evil\x1b[31m\n", Waiting: 7, Shared: &page.Sharing{Active: true, Processes: 2}, Empty: now.Add(90 * time.Second), P95: 1.5,
		Limits: []page.Limit{
			{Name: "minute", Max: 60, Left: 1, Opens: now.Add(12 * time.Second)}, {Name: "gone", Scope: "read", Max: 0},
			{Name: "learned", Max: -1, Rate: 2.5}, {Name: "odd", Max: -1}, {Name: "more", Max: 5, Left: 9},
			{Name: "own, 9 per 1s", Max: 9, Left: 9, Kind: "rule", Unit: "tokens", Opens: now.Add(time.Second)},
		},
	}}})
	require.Equal(t, `2 keys, 7 waiting, 22:13:20 UTC

evil�[31m�, api.test, key abc, shared by 2 processes
  7 waiting (empty in 1 min 30 s), 0 in flight, 0 sent, 0 refused, 0 retried, 0 given up, wait p50 0 s p95 1.5 s
  minute               █░░░░░░░░░░░░░░░░░░░ 1 of 60 left, opens in 12 s
  gone of read         ░░░░░░░░░░░░░░░░░░░░ 0 of 0 left
  learned              2.5 a second
  odd                  not told
  more                 ████████████████████ 9 of 5 left
  own, 9 per 1s        ████████████████████ 9 of 9 tokens left, all of it in 1 s
`, text)
}
