package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Streams pass as they come, in both directions.
func TestStreams(t *testing.T) {
	t.Parallel()
	read, step := make(chan string), make(chan struct{})
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := bufio.NewReader(r.Body)
		for range 2 {
			line, _ := body.ReadString('\n')
			read <- line
		}
		_, _ = io.Copy(io.Discard, body)
		fmt.Fprint(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-step
		fmt.Fprint(w, "data: 2\n\n")
	})
	p := start(t, "-to", api.URL)
	out, in := io.Pipe()
	go func() {
		for _, line := range []string{"first\n", "second\n"} {
			_, _ = io.WriteString(in, line)
			if line != <-read { // it arrives before the next is sent
				_ = in.CloseWithError(io.ErrUnexpectedEOF)
			}
		}
		_ = in.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url, out)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "data: 1\n", line)
	close(step)
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "\ndata: 2\n\n", string(rest))
}

// A protocol switch is a tunnel.
func TestSwitchOfProtocols(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		fmt.Fprint(conn, line)
	})
	p := start(t, "-to", api.URL)
	conn := dial(t, p.url)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	fmt.Fprintln(conn, "hello")
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", line)
}

// A refused request is sent again if its body is short; what is long passes through.
func TestReplay(t *testing.T) {
	t.Parallel()
	for body, want := range map[io.Reader]int{
		strings.NewReader("short"):               http.StatusOK,
		strings.NewReader("long as anything"):    http.StatusTooManyRequests,
		stream(strings.NewReader("short")):       http.StatusOK,
		stream(strings.NewReader("no end here")): http.StatusTooManyRequests,
	} {
		var calls atomic.Int32
		api := serve(t, func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			if calls.Add(1) == 1 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = w.Write(text)
		})
		p := start(t, "-to", api.URL, "-replay", "10")
		resp, err := http.Post(p.url, "text/plain", body)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode)
		if want == http.StatusOK {
			require.Equal(t, "short", string(text))
		}
	}
}

// stream returns a reader whose length net/http does not know.
func stream(r io.Reader) io.Reader { return io.MultiReader(r) }
