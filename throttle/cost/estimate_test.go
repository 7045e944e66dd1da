package cost_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/cost"
)

func post(t testing.TB, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	return req
}

const (
	openAI  = "https://api.openai.com/v1/chat/completions"
	bedrock = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/"
	gemini  = "https://generativelanguage.googleapis.com/v1beta/models/"
)

func TestEstimateReadsTheRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, url, body, model string
		most                   float64 // tokens; -1 is not known
	}{
		{"chat", openAI, `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"max_tokens":100}`, "gpt-4o", 100},
		{"completion tokens", openAI, `{ "max_completion_tokens" : 5 , "model" : "o3" }`, "o3", 5},
		{"responses", openAI, `{"model":"m","max_output_tokens":7,"input":"x"}`, "m", 7},
		{"several answers", openAI, `{"n":3,"model":"m","max_tokens":10}`, "m", 30},
		{"the largest bound", openAI, `{"max_tokens":10,"max_completion_tokens":20}`, "", 20},
		{"no bound", openAI, `{"model":"m"}`, "m", -1},
		{"names in values", openAI, `{"messages":[{"max_tokens":9,"model":"inner"}],"x":{"max_tokens":8,"model":"y"},"model":"m"}`, "m", -1},
		{"names in strings", openAI, `{"messages":"\"max_tokens\":9","model":"m"}`, "m", -1},
		{"negative", openAI, `{"model":"m","max_tokens":-5}`, "m", -1},
		{"absurd", openAI, `{"model":"m","max_tokens":1e300}`, "m", -1},
		{"no number", openAI, `{"model":"m","max_tokens":"many"}`, "m", -1},
		{"negative answers", openAI, `{"model":"m","max_tokens":5,"n":-2}`, "m", 5},
		{"not JSON", openAI, `model=m&max_tokens=5`, "", -1},
		{"a name that is no text", openAI, `{"model":5}`, "", -1},
		{"deployment", "https://a.openai.azure.com/openai/deployments/blue/chat/completions?api-version=1", `{"max_tokens":6,"model":"ignored"}`, "blue", 6},
		{"converse", bedrock + "anthropic.claude-sonnet-4-v1:0/converse", `{"inferenceConfig":{"maxTokens":32}}`, "anthropic.claude-sonnet-4-v1:0", 32},
		{"method", gemini + "gemini-2.5-pro:generateContent", `{"contents":[]}`, "gemini-2.5-pro", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := post(t, c.url, c.body)
			e := cost.For(req).Estimate(req)
			assert.Equal(t, c.model, e.Model)
			n, ok := e.Most.Of("tokens", "tokens")
			assert.Equal(t, c.most >= 0, ok, "%v", e.Most)
			if ok {
				assert.InDelta(t, c.most, n, 0)
			}
			assert.EqualValues(t, len(c.body), e.Bytes)
			rest, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			assert.Equal(t, c.body, string(rest), "the body is still whole")
		})
	}
}

// A picture costs what its pixels cost.
func TestEstimateDoesNotCountAttachmentsByTheirSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100 << 10, 3 << 20} { // the second one passes what is read
		picture := `{"model":"m","messages":[{"image_url":"data:image/png;base64,` + strings.Repeat("iVBORw0KGgo+", size/12) + `"}]}`
		req := post(t, openAI, picture)
		e := cost.For(req).Estimate(req)
		assert.Equal(t, "m", e.Model)
		assert.Less(t, e.Bytes, int64(8<<10))
		assert.Greater(t, e.Bytes, int64(4<<10))
	}
	text := `{"model":"m","input":"` + strings.Repeat("plain words ", 10_000) + `"}`
	req := post(t, openAI, text)
	assert.EqualValues(t, len(text), cost.For(req).Estimate(req).Bytes)
}

func TestEstimateOfABodyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	api := cost.Named("openai")
	none := post(t, openAI, `{"model":"m"}`)
	none.GetBody = nil
	assert.Equal(t, cost.Estimate{Bytes: 13}, api.Estimate(none))
	failing := post(t, openAI, `{"model":"m"}`)
	failing.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	assert.Equal(t, cost.Estimate{Bytes: 13}, api.Estimate(failing))
	packed := post(t, openAI, `{"model":"m"}`)
	packed.Header.Set("Content-Encoding", "gzip")
	assert.Equal(t, cost.Estimate{Bytes: 13}, api.Estimate(packed))
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, openAI, nil)
	require.NoError(t, err)
	assert.Equal(t, cost.Estimate{}, api.Estimate(get))
}

type counted struct {
	io.Reader

	read   int
	closed *int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

func (c *counted) Close() error { *c.closed++; return nil }

func TestEstimateReadsAtMostAMebibyte(t *testing.T) {
	t.Parallel()
	req := post(t, openAI, "")
	closed := 0
	long := &counted{Reader: io.MultiReader(strings.NewReader(`{"model":"m","input":"`), endless{}), closed: &closed}
	req.Body, req.ContentLength = io.NopCloser(endless{}), -1
	req.GetBody = func() (io.ReadCloser, error) { return long, nil }
	e := cost.For(req).Estimate(req)
	assert.Equal(t, "m", e.Model)
	assert.LessOrEqual(t, long.read, 1<<20)
	assert.Equal(t, 1, closed)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzEstimate(f *testing.F) {
	f.Add([]byte(`{"model":"gpt-4o","n":2,"max_tokens":100,"messages":[{"content":"a \"quoted\" word"}]}`))
	f.Add([]byte(`{"inferenceConfig":{"maxTokens":32},"max_tokens":1e12,"max_output_tokens":"7"}`))
	f.Add([]byte(`{"model":"cut`))
	f.Add([]byte(`{"a":{"b":{"c":{"d":{"e":[{"max_tokens":1}]}}}},"max_tokens":-1}`))
	f.Add([]byte(`{"` + strings.Repeat("k", 200) + `":{"x":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, name := range []string{"openai", "bedrock"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, openAI, bytes.NewReader(body))
			require.NoError(t, err)
			e := cost.Named(name).Estimate(req)
			assert.GreaterOrEqual(t, e.Bytes, int64(0))
			assert.LessOrEqual(t, e.Bytes, int64(len(body)))
			for unit, n := range e.Most {
				assert.True(t, n >= 0 && n <= 1e12, "%s %v", unit, n)
			}
		}
	})
}
