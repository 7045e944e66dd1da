package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patient gives up rather than have a test hang.
var patient = &http.Client{Timeout: 10 * time.Second}

// The API gets the query that the program sent, also where net/url cannot parse it.
func TestQueryPassesAsItIs(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.RawQuery) })
	p := start(t, "-to", api.URL, "-forward")
	for _, query := range []string{"a;b=1&c=2", "off=100%", "x=%zz&x=1", "b=1&a=2", "sum=1+2", "%"} {
		status, text := ask(t, http.MethodGet, p.url+"/?"+query, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, query, text)

		forward := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(p.url) }}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.URL+"/?"+query, nil)
		require.NoError(t, err)
		resp, err := forward.RoundTrip(req)
		require.NoError(t, err)
		forwarded, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		forward.CloseIdleConnections()
		require.Equal(t, query, string(forwarded))
	}
}

// Java's client offers HTTP/2 in every request that is not encrypted. An API that speaks
// HTTP/2 must not see that, and one that speaks HTTP/1 need not.
func TestOfferOfHTTP2IsNotPassedOn(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Proto, r.Header["Upgrade"], r.Header["Connection"], r.Header["Http2-Settings"])
		}))
		api.EnableHTTP2 = version == "HTTP/2.0"
		api.StartTLS()
		t.Cleanup(api.Close)
		p := startOver(t, api.Client().Transport.(*http.Transport), "-to", api.URL, "-retries", "0")
		status, text := ask(t, http.MethodGet, p.url, "", "Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "HTTP2-Settings", "AAEA")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, version+"[] [] []", text)
	}
}

// A response of known length reaches the caller as it comes, too.
func TestSlowDownloadsPassAsTheyCome(t *testing.T) {
	t.Parallel()
	step := make(chan struct{})
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		for _, part := range []string{"", "first", "later"} {
			fmt.Fprint(w, part)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-step:
			case <-r.Context().Done():
			}
		}
	})
	p := start(t, "-to", api.URL)
	resp, err := patient.Get(p.url) // its header comes alone
	require.NoError(t, err)
	defer resp.Body.Close()
	require.EqualValues(t, 10, resp.ContentLength)
	part := make([]byte, 5)
	for _, want := range []string{"first", "later"} {
		step <- struct{}{}
		_, err = io.ReadFull(resp.Body, part)
		require.NoError(t, err)
		require.Equal(t, want, string(part))
	}
	close(step)
}

// What came before a server died reaches the caller, who can tell that it is not all.
func TestServerDiesInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, length := range []string{"", "100"} {
		read := make(chan struct{})
		api := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			fmt.Fprint(w, "part")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-read:
			case <-r.Context().Done():
			}
			panic(http.ErrAbortHandler)
		})
		resp, err := patient.Get(start(t, "-to", api.URL).url)
		require.NoError(t, err)
		defer resp.Body.Close()
		part := make([]byte, 4)
		_, err = io.ReadFull(resp.Body, part)
		require.NoError(t, err)
		require.Equal(t, "part", string(part))
		close(read)
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
}

// Interim responses, trailers and lengths without a body pass.
func TestWhatElsePasses(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "1234")
			return
		}
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "body")
		w.Header().Set("X-Sum", "42")
	})
	p := start(t, "-to", api.URL)
	resp, err := http.Head(p.url)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.EqualValues(t, 1234, resp.ContentLength)
	resp, err = http.Get(p.url)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "body", string(text))
	require.Equal(t, "42", resp.Trailer.Get("X-Sum"))
}

// A caller that waits for 100 Continue gets the API's answer to that, and need not send a
// body that the API does not want.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ExpectContinueTimeout = time.Minute // not one second, in which a busy machine may not have the answer
	p := startOver(t, base, "-to", api.URL, "-replay", "10")
	for path, want := range map[string]string{"/no": "413 ", "/yes": "100 Continue"} {
		conn := dial(t, p.url)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", path)
		r := bufio.NewReader(conn)
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, want)
		if path == "/no" {
			continue
		}
		_, err = r.ReadString('\n')
		require.NoError(t, err)
		fmt.Fprint(conn, strings.Repeat("x", 100))
		resp, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "100", string(text))
	}
}

// A caller that closes its half of the connection counts as gone. If it still reads, it must
// not take that for a response of the API.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	api := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p := start(t, "-to", api.URL)
	conn := dial(t, p.url)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusBadGateway, resp.StatusCode)
}

// The page is found without the slash at its end, too.
func TestPageWithoutSlash(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the API") })
	p := start(t, "-to", api.URL)
	status, text := ask(t, http.MethodGet, p.url+"/-", "", "Accept", "application/json")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, `"keys"`)
}

// A caller whose request never ends takes a connection and nothing else, and not for ever.
func TestSlowHeader(t *testing.T) {
	t.Parallel()
	p := startWith(t, http.DefaultTransport, func(s *proxyServer) { s.server.ReadHeaderTimeout = 50 * time.Millisecond }, "-forward")
	conn := dial(t, p.url)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err := io.ReadAll(conn)
	require.NoError(t, err) // it was closed
}
