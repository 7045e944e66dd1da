package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// On SIGTERM all that wait are answered, and nothing else is taken.
func TestDrain(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { <-hold; fmt.Fprint(w, "done") })
	memory := filepath.Join(t.TempDir(), "memory")
	p := start(t, "-config", oneAtATime(t, api.URL), "-memory", memory)
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/-/", nil)
	require.NoError(t, err)
	page.Header.Set("Accept", "text/event-stream")
	open, err := http.DefaultClient.Do(page)
	require.NoError(t, err)
	defer open.Body.Close()
	var wg sync.WaitGroup
	var done atomic.Int32
	for range 20 {
		wg.Go(func() {
			if status, text := ask(t, http.MethodGet, p.url, ""); status == http.StatusOK && text == "done" {
				done.Add(1)
			}
		})
	}
	p.waiting(t, 19)
	p.cancel()
	_, err = io.Copy(io.Discard, open.Body)
	_ = err // however it ends, the page that was open ends
	close(hold)
	wg.Wait()
	require.NoError(t, <-p.ended)
	require.EqualValues(t, 20, done.Load())
	_, err = http.Get(p.url)
	require.Error(t, err)
	text, err := os.ReadFile(memory)
	require.NoError(t, err)
	require.JSONEq(t, "{}", string(text))
}

func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	api := serve(t, func(http.ResponseWriter, *http.Request) { <-hold })
	t.Cleanup(func() { close(hold) })
	p := start(t, "-config", oneAtATime(t, api.URL), "-grace", "10ms")
	go func() { _, _ = http.Get(p.url) }()
	go func() { _, _ = http.Get(p.url) }()
	p.waiting(t, 1)
	p.cancel()
	require.ErrorContains(t, <-p.ended, "requests were still waiting")
}

// A caller that disconnects leaves the queue.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var served atomic.Int32
	api := serve(t, func(http.ResponseWriter, *http.Request) { served.Add(1); <-hold })
	p := start(t, "-config", oneAtATime(t, api.URL))
	var wg sync.WaitGroup
	wg.Go(func() { ask(t, http.MethodGet, p.url, "") })
	require.Eventually(t, func() bool { return served.Load() == 1 }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
		_, err := http.DefaultClient.Do(req)
		require.ErrorIs(t, err, context.Canceled)
	})
	p.waiting(t, 1)
	cancel()
	p.waiting(t, 0)
	close(hold)
	wg.Wait()
	require.EqualValues(t, 1, served.Load())
}

// SIGHUP changes limits and upstreams for those who wait, too; a wrong file changes
// nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var served atomic.Int32
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { served.Add(1); <-hold; fmt.Fprint(w, "old") })
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "new") })
	file := oneAtATime(t, api.URL)
	p := start(t, "-config", file)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			status, text := ask(t, http.MethodGet, p.url, "")
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "old", text)
		})
	}
	p.waiting(t, 2)
	require.Eventually(t, func() bool { return served.Load() == 1 }, 10*time.Second, time.Millisecond)
	for text, want := range map[string]string{
		"to / ftp://x":      ":1: to: ",
		"to / " + other.URL: "0 rules in place of 1",
		"to / " + other.URL + "\nrule one limit=1/1s scope=global":  "rule one differs",
		"to / " + other.URL + "\nrule two in-flight=1 scope=global": "rule two differs",
		"to / " + other.URL + "\nrule one in-flight=1":              "rule one differs",
	} {
		write(t, file, text)
		require.ErrorContains(t, p.reload(), want)
	}
	p.again <- syscall.SIGHUP // it is still wrong
	require.EqualValues(t, 1, served.Load())
	write(t, file, "to / "+other.URL+"\nrule one in-flight=3 scope=global\n")
	p.again <- syscall.SIGHUP
	p.waiting(t, 0)
	close(hold)
	wg.Wait()
	status, text := ask(t, http.MethodGet, p.url, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "new", text)
}

// What a run was taught helps the next.
func TestMemoryFile(t *testing.T) {
	t.Parallel()
	const text = `{"ab":{"limit":300,"length":3600000000000}}`
	name := write(t, "memory", text)
	quiet := slog.New(slog.DiscardHandler)
	m, err := readMemory(name, quiet)
	require.NoError(t, err)
	require.Equal(t, 300, m["ab"].Limit)
	require.NoError(t, writeMemory(name, m))
	again, err := readMemory(name, quiet)
	require.NoError(t, err)
	require.Equal(t, m, again)
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Error(t, writeMemory(filepath.Join(t.TempDir(), "nowhere", "memory"), m))
	_, err = readMemory(filepath.Join(t.TempDir(), "none"), quiet)
	require.NoError(t, err)

	// A damaged file is no reason not to start; a folder in its place is.
	var log strings.Builder
	m, err = readMemory(write(t, "memory", "{"), slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	require.Empty(t, m)
	require.Contains(t, log.String(), "memory ignored")
	out, errors, status := runs(t, "", "proxy", "-to", "http://api.test", "-memory", t.TempDir())
	require.Equal(t, 2, status, out)
	require.Contains(t, errors, "directory")
}

// The command itself listens, serves, and ends with its context.
func TestProxyCommand(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hi") })
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"proxy", "-listen", "127.0.0.1:0", "-to", api.URL}, &streams{strings.NewReader(""), in, io.Discard})
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	words := strings.Fields(line)
	status, text := ask(t, http.MethodGet, strings.TrimSuffix(words[4], ","), "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "hi", text)
	cancel()
	require.Zero(t, <-ended)

	for want, args := range map[string][]string{
		"nowhere to send":        {"proxy"},
		"want a URL that begins": {"proxy", "-to", "api.test"},
		"no such file":           {"proxy", "-config", "/nowhere"},
		"/nowhere/":              {"proxy", "-to", api.URL, "-memory", "/nowhere/memory"},
		"-listen: address 1":     {"proxy", "-to", api.URL, "-listen", "1"},
		"must not be negative":   {"proxy", "-to", api.URL, "-max-wait", "-1s"},
		"Retries":                {"proxy", "-to", api.URL, "-retries", "-1"},
		"-grace must not be":     {"proxy", "-to", api.URL, "-grace", "-1s"},
		"-replay must not be":    {"proxy", "-to", api.URL, "-replay", "-1"},
		`invalid value "x"`:      {"proxy", "-grace", "x"},
	} {
		_, errors, status := runs(t, "", args...)
		require.Equal(t, 2, status, errors)
		require.Contains(t, errors, want)
	}
	_, errors, status := runs(t, "", "proxy", "-to", api.URL, "-listen", api.Listener.Addr().String())
	require.Equal(t, 1, status, errors)
}
