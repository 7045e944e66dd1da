package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab"
)

// What is promised is checked: hardly a refusal where limits are told, few elsewhere, and
// most of the limit used.
func TestCheck(t *testing.T) {
	tells, silent := server{rate: 10, announced: true}, server{rate: 10}
	good := lab.Served{Sent: 300, Rate: 8}
	require.NoError(t, tells.check(good))
	require.NoError(t, silent.check(lab.Served{Sent: 300, Refused: 20, Rate: 8}))
	require.NoError(t, tells.check(lab.Served{Sent: 300, Refused: 11, Rate: 8}))
	assert.ErrorContains(t, tells.check(lab.Served{Sent: 300, Refused: 12, Rate: 8}), "were refused, though it tells its limits")
	assert.ErrorContains(t, silent.check(lab.Served{Sent: 300, Refused: 40, Rate: 8}), "were refused")
	assert.ErrorContains(t, tells.check(lab.Served{Sent: 300, Failed: 1, Rate: 8}), "failed")
	assert.ErrorContains(t, tells.check(lab.Served{Sent: 20, Rate: .5}), "were admitted")
}

func TestProgram(t *testing.T) {
	assert.Equal(t, "nginx/", program("nginx/1.22.1, limit_req"))
	assert.Equal(t, "express-rate-limit", program("express-rate-limit 8.7.4, draft-8"))
	assert.Equal(t, "none", program("none"))
}

// The results of servers that are not there now are kept.
func TestWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("testdata", 0o700))
	require.NoError(t, lab.Write(lab.ServedFile, []lab.Served{{Server: "a 1.0", Sent: 1}, {Server: "b 1.0", Sent: 1}}))
	require.NoError(t, write([]lab.Served{{Server: "a 1.1", Sent: 2}}))
	got, err := lab.Read[lab.Served](lab.ServedFile)
	require.NoError(t, err)
	assert.Equal(t, []lab.Served{{Server: "a 1.1", Sent: 2}, {Server: "b 1.0", Sent: 1}}, got)
}

// No more requests are sent than is agreed, whatever goes wrong.
func TestMost(t *testing.T) {
	listening := httptest.NewServer(http.NotFoundHandler())
	defer listening.Close()
	c := &counting{base: http.DefaultTransport}
	c.sent.Store(most - 1)
	get := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, listening.URL, nil)
		require.NoError(t, err)
		resp, err := c.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	require.NoError(t, get())
	assert.ErrorContains(t, get(), "too many")
	assert.Equal(t, int64(1), c.refused.Load())
}
