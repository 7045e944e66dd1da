package backoff

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Frame types of RFC 9113 section 6.
const (
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	frameGoAway   = 7
)

func frame(kind byte, stream uint32, payload ...uint32) []byte {
	f := []byte{0, 0, byte(4 * len(payload)), kind, 0}
	f = binary.BigEndian.AppendUint32(f, stream)
	for _, p := range payload {
		f = binary.BigEndian.AppendUint32(f, p)
	}
	return f
}

// serveHTTP2 reads what a client sends on conn and answers each request with the
// frames that answer returns; after them it hangs up if answer says so.
func serveHTTP2(conn net.Conn, answer func(stream uint32) (frames []byte, hangUp bool)) {
	defer conn.Close()
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	// The pipe has no buffer, so the reader must not wait for its own writes.
	out := make(chan []byte, 64)
	defer close(out)
	go func() {
		for b := range out {
			conn.Write(b)
		}
	}()
	out <- frame(frameSettings, 0)
	for header := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		length := int64(header[0])<<16 | int64(header[1])<<8 | int64(header[2])
		if _, err := io.CopyN(io.Discard, conn, length); err != nil {
			return
		}
		if header[3] != frameHeaders {
			continue
		}
		frames, hangUp := answer(binary.BigEndian.Uint32(header[5:]))
		if frames != nil {
			out <- frames
		}
		if hangUp {
			// Sleep in virtual time, so that the client reads the frames first.
			time.AfterFunc(time.Millisecond, func() { conn.Close() })
		}
	}
}

func TestDefaultCheckOfHTTP2Failures(t *testing.T) {
	const noError, internalError, refusedStream, cancel, calm, protocolError = 0, 2, 7, 8, 11, 1
	reset := func(code uint32) func(uint32) ([]byte, bool) {
		return func(stream uint32) ([]byte, bool) { return frame(frameReset, stream, code), false }
	}
	for name, c := range map[string]struct {
		answer func(stream uint32) ([]byte, bool)
		text   string
		want   answers
	}{
		"refused stream":    {reset(refusedStream), "REFUSED_STREAM", anyMethod},
		"internal error":    {reset(internalError), "INTERNAL_ERROR", idempotent},
		"enhance your calm": {reset(calm), "ENHANCE_YOUR_CALM", idempotent},
		"cancel":            {reset(cancel), "CANCEL", notKnown},
		"protocol error":    {reset(protocolError), "PROTOCOL_ERROR", notKnown},
		"going away, request not taken": {func(uint32) ([]byte, bool) {
			return frame(frameGoAway, 0, 0, noError), false
		}, "graceful shutdown GOAWAY", anyMethod},
		"going away with an error": {func(uint32) ([]byte, bool) {
			return frame(frameGoAway, 0, 0, calm), false
		}, "received GOAWAY from server", idempotent},
		"gone away, request taken": {func(stream uint32) ([]byte, bool) {
			return frame(frameGoAway, 0, stream, noError), true
		}, "server sent GOAWAY and closed", idempotent},
		"hung up": {func(uint32) ([]byte, bool) { return nil, true }, "EOF", idempotent},
		"silence": {func(uint32) ([]byte, bool) { return nil, false }, "client connection lost", idempotent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				protocols := new(http.Protocols)
				protocols.SetUnencryptedHTTP2(true)
				transport := &http.Transport{
					Protocols: protocols,
					HTTP2:     &http.HTTP2Config{SendPingTimeout: time.Second, PingTimeout: time.Second},
					DialContext: func(context.Context, string, string) (net.Conn, error) {
						client, server := net.Pipe()
						go serveHTTP2(server, c.answer)
						return client, nil
					},
				}
				// Use a single connection: a Transport resends some of these requests by
				// itself, over ever new connections.
				conn, err := transport.NewClientConn(t.Context(), "http", "api.test:80")
				require.NoError(t, err)
				defer conn.Close()
				_, err = conn.RoundTrip(request(t, "GET", ""))
				require.ErrorContains(t, err, c.text)
				assert.Equal(t, c.want, answersTo(t, err), "%v", err)
			})
		})
	}
}

// A stream that the server did not process is one of any method, also where the Transport would send the
// request again by itself if it could make the body again.
func TestDefaultCheckOfRefusedUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{
			Protocols: protocols,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go serveHTTP2(server, func(stream uint32) ([]byte, bool) { return frame(frameReset, stream, http2RefusedStream), false })
				return client, nil
			},
		}
		defer transport.CloseIdleConnections()
		req := request(t, "POST", "text")
		req.GetBody = nil
		_, err := transport.RoundTrip(req)
		require.ErrorContains(t, err, "cannot retry err")
		assert.Equal(t, anyMethod, answersTo(t, err), "%v", err)
	})
}

// The server closes a kept connection in the moment between choosing it for the
// next request and writing to it.
func TestDefaultCheckOfServerClosedIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server net.Conn
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			var client net.Conn
			client, server = net.Pipe()
			go func(c net.Conn) {
				c.Read(make([]byte, 1024))
				io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
			}(server)
			return client, nil
		}}
		defer transport.CloseIdleConnections()
		resp, err := transport.RoundTrip(request(t, "POST", ""))
		require.NoError(t, err)
		resp.Body.Close()
		synctest.Wait()

		trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
			assert.True(t, info.Reused)
			server.Close()
			synctest.Wait()
		}}
		second := request(t, "POST", "")
		_, err = transport.RoundTrip(second.WithContext(httptrace.WithClientTrace(second.Context(), trace)))
		require.EqualError(t, err, "http: server closed idle connection")
		assert.Equal(t, idempotent, answersTo(t, err))
	})
}
