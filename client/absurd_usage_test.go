package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// absurd replaces the bodies of some responses: their account of what was used is wrong.
type absurd struct {
	*chatAPI
	body  func() io.Reader
	every int

	mu sync.Mutex
	n  int
}

func (a *absurd) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.chatAPI.RoundTrip(req)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil && resp.StatusCode == http.StatusOK {
		if a.n%a.every == 0 { // the first one, too
			resp.Body = io.NopCloser(a.body())
		}
		a.n++
	}
	return resp, err
}

// cutOff ends in an error, as a lost connection does.
type cutOff struct{ io.Reader }

func (c cutOff) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// What responses claim about their cost may be nonsense: what they tell of the limit still is not.
func TestAbsurdUsageNeitherHoldsUpNorIsRefused(t *testing.T) {
	figures(t)
	usage := func(text string) func() io.Reader {
		return func() io.Reader { return strings.NewReader(`{"choices":[],"usage":` + text + `}`) }
	}
	for name, body := range map[string]func() io.Reader{
		"huge":          usage(`{"prompt_tokens":1e11,"completion_tokens":1e11,"total_tokens":2e11}`),
		"most of all":   usage(`{"prompt_tokens":40000,"completion_tokens":40000,"total_tokens":80000}`),
		"twice as much": usage(`{"prompt_tokens":100000,"completion_tokens":100000,"total_tokens":200000}`),
		"beyond number": usage(`{"total_tokens":1e999}`),
		"negative":      usage(`{"prompt_tokens":-5,"completion_tokens":-1e9,"total_tokens":-1e9}`),
		"zero":          usage(`{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`),
		"missing":       usage(`null`),
		"cut off": func() io.Reader {
			return cutOff{strings.NewReader(`{"choices":[],"usage":{"prompt_tokens":1`)}
		},
	} {
		for every, kind := range map[int]string{1: "always", 7: "now and then"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				chance.Bubble(t, func(t testing.TB) {
					api := newChatAPI(ratemodel.ChargeEnd, map[string]float64{"big": 90_000})
					tr, err := client.NewTransport(&absurd{chatAPI: api, body: body, every: every})
					require.NoError(t, err)
					defer tr.Close()
					converse(t, tr, 20, 5*time.Minute, func(int) bool { return false }, func(int) string { return "big" })
					used := api.charged / (90_000 * 6)
					t.Logf("served %d, refused %d, used %.1f %%", api.served, api.refused, 100*used)
					assert.LessOrEqual(t, float64(api.refused), 3+0.02*float64(api.served))
					assert.Greater(t, used, 0.85)
				})
			})
		}
	}
}
