package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// untoldTokens takes what responses tell of tokens from them.
type untoldTokens struct{ http.RoundTripper }

func (u untoldTokens) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := u.RoundTripper.RoundTrip(req)
	if err == nil {
		for name := range resp.Header {
			if strings.HasSuffix(name, "-Tokens") {
				resp.Header.Del(name)
			}
		}
	}
	return resp, err
}

// A host of which nothing is known, but which speaks as OpenAI's does, is asked as that is once a response
// told a limit on tokens. Nobody else's bodies are read.
func TestAnUnknownHostIsReadByItsLanguage(t *testing.T) {
	const language = "https://gateway.example.com/v1/chat/completions"
	for name, c := range map[string]struct {
		url    string
		untold bool
		model  string
		read   int
	}{
		"it speaks it":          {language, false, "big", 2},
		"no limit on tokens":    {language, true, "big", 0},
		"no model":              {language, false, "", 2},
		"a path that is no one": {"https://gateway.example.com/v1/chat", false, "big", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newChatAPI(ratemodel.ChargeRefund, map[string]float64{"big": 90_000, "": 90_000})
				var base http.RoundTripper = api
				if c.untold {
					base = untoldTokens{api}
				}
				tr, err := client.NewTransport(base)
				require.NoError(t, err)
				defer tr.Close()
				read := 0
				for range 3 {
					req := chatRequest(t.Context(), t, c.url, c.model, 100, true)
					get := req.GetBody
					req.GetBody = func() (io.ReadCloser, error) { read++; return get() }
					resp, err := tr.RoundTrip(req)
					require.NoError(t, err)
					_, _ = io.Copy(io.Discard, resp.Body)
					require.NoError(t, resp.Body.Close())
				}
				assert.Equal(t, c.read, read, "the first response is what tells")
			})
		})
	}
}
