package cost_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/cost"
)

func TestUnitsOfAWindow(t *testing.T) {
	t.Parallel()
	both := cost.Units{"input-tokens": 30, "output-tokens": 12}
	for _, c := range []struct {
		units      cost.Units
		name, unit string
		want       float64
		ok         bool
	}{
		{cost.Tokens(7), "tokens", "tokens", 7, true},
		{cost.Tokens(7), "project-tokens", "tokens", 7, true},
		{both, "input-tokens", "tokens", 30, true},
		{both, "output-tokens", "tokens", 12, true},
		{both, "tokens", "tokens", 42, true},
		{cost.Units{"output-tokens": 12}, "input-tokens", "tokens", 0, false},
		{both, "points", "points", 0, false},
		{nil, "tokens", "tokens", 0, false},
	} {
		got, ok := c.units.Of(c.name, c.unit)
		assert.Equal(t, c.ok, ok, "%v of %s", c.units, c.name)
		assert.InDelta(t, c.want, got, 0, "%v of %s", c.units, c.name)
	}
}

func TestAddChangesNeither(t *testing.T) {
	t.Parallel()
	a, b := cost.Tokens(1), cost.Units{"tokens": 2, "points": 3}
	assert.Equal(t, cost.Units{"tokens": 3, "points": 3}, a.Add(b))
	assert.Equal(t, cost.Tokens(1), a)
	assert.Equal(t, b, cost.Units(nil).Add(b))
}

func TestForFindsTheServer(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://api.openai.com/v1/chat/completions":                               "openai",
		"https://API.OPENAI.COM:443/v1/responses":                                  "openai",
		"https://mine.openai.azure.com/openai/deployments/x/chat/completions":      "azure-openai",
		"https://api.anthropic.com/v1/messages":                                    "anthropic",
		"https://generativelanguage.googleapis.com/v1beta/models/g:countTokens":    "gemini",
		"https://europe-west4-aiplatform.googleapis.com/v1/x/models/g:countTokens": "gemini",
		"https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse":         "bedrock",
		"https://api.groq.com/openai/v1/chat/completions":                          "groq",
		"https://api.mistral.ai/v1/chat/completions":                               "mistral",
		"https://api.github.com/graphql":                                           "github",
		"https://shop.myshopify.com/admin/api/2026-01/graphql.json":                "shopify",
		"https://api.linear.app/graphql":                                           "linear",
		"https://api.monday.com/v2":                                                "monday",
		"https://mine.documents.azure.com/dbs/x":                                   "cosmos",
		"https://api1.binance.com/api/v3/depth":                                    "binance",
		"https://api.github.com/repos/a/b":                                         "",
		"https://api.openai.com.example.org/v1/chat/completions":                   "",
		"https://example.org/":                                                     "",
	} {
		api := cost.For(httptest.NewRequest(http.MethodPost, url, nil))
		if want == "" {
			assert.Nil(t, api, url)
			continue
		}
		require.NotNil(t, api, url)
		assert.Equal(t, want, api.Name, url)
		assert.Same(t, api, cost.Named(want))
		assert.Contains(t, api.Source, "https://")
	}
	assert.Nil(t, cost.Named("nobody"))
	assert.Nil(t, cost.For(nil))
}

func TestNextDay(t *testing.T) {
	gemini := cost.Named("gemini")
	for now, want := range map[string]string{
		"2026-01-15T07:59:59Z": "2026-01-15T08:00:00Z",
		"2026-01-15T08:00:00Z": "2026-01-16T08:00:00Z",
		"2026-03-08T09:00:00Z": "2026-03-09T07:00:00Z", // clocks are put forward
		"2026-07-15T12:00:00Z": "2026-07-16T07:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, now)
		require.NoError(t, err)
		next, ok := gemini.NextDay(at)
		require.True(t, ok)
		assert.Equal(t, want, next.UTC().Format(time.RFC3339), now)
	}
	for _, day := range []string{"", "Nowhere/Atlantis"} {
		_, ok := (&cost.API{Day: day}).NextDay(time.Now())
		assert.False(t, ok, day)
	}
}

func TestSpokenFindsTheLanguage(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://openrouter.ai/api/v1/chat/completions":                 "openai",
		"https://api.deepseek.com/chat/completions":                     "openai",
		"https://api.fireworks.ai/inference/v1/completions":             "openai",
		"http://localhost:11434/v1/embeddings":                          "openai",
		"https://llm.example.com/v1/responses":                          "openai",
		"https://llm.example.com/openai/deployments/d/chat/completions": "azure-openai",
		"https://llm.example.com/anthropic/v1/messages":                 "anthropic",
		"https://chat.example.com/channels/1/messages":                  "",
		"https://api.example.com/v1/responses/7":                        "",
		"https://api.example.com/":                                      "",
	} {
		if api := cost.Spoken(httptest.NewRequest(http.MethodPost, url, nil)); want == "" {
			assert.Nil(t, api, url)
		} else {
			assert.Same(t, cost.Named(want), api, url)
		}
		assert.Nil(t, cost.Spoken(httptest.NewRequest(http.MethodGet, url, nil)), url)
	}
	assert.Nil(t, cost.Spoken(nil))
}
