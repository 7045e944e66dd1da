package sdks

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/openai/openai-go/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// minutes is how long the callers go on.
const minutes = 10

// Twenty callers spend a limit of tokens through the SDKs of LLMs, told nothing: few
// requests are refused, though costs are known only once responses are complete. Where max_tokens is
// taken before and given back, streams tell of it too late.
func TestTokens(t *testing.T) {
	for _, c := range []struct {
		name    string
		server  func() *tokenServer
		connect func(t testing.TB, hc *http.Client) func(ctx context.Context, prompt string, stream bool) (string, error)
		refused float64 // at most, of what is served
		used    float64 // at least, of what the server gives
	}{
		{"openai/charged at the end", func() *tokenServer { return chatCompletions(ratemodel.ChargeEnd) }, completions, .005, .95},
		{"openai/refunded", func() *tokenServer { return chatCompletions(ratemodel.ChargeRefund) }, completions, .04, .9},
		{"openai/kept", func() *tokenServer { return chatCompletions(ratemodel.ChargeKeep) }, completions, .005, .95},
		{"anthropic", anthropicMessages, messages, .016, .93},
	} {
		for name, stream := range map[string]func(i int) bool{
			"whole":    func(int) bool { return false },
			"streamed": func(int) bool { return true },
			"both":     func(i int) bool { return i%2 == 0 },
		} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				if chance.Raced && name != "both" {
					t.Skip("takes too long with the race detector")
				}
				chance.Bubble(t, func(t testing.TB) {
					api := c.server()
					call := c.connect(t, &http.Client{Transport: api})
					spend(t, call, stream)
					used := api.charged / (api.tokens.Pool.Limit() * (minutes + 1)) // it begins full
					t.Logf("served %d, refused %d, used %.1f %%", api.served, api.refused, 100*used)
					assert.LessOrEqual(t, float64(api.refused), 1+c.refused*float64(api.served))
					assert.Greater(t, used, c.used)
				})
			})
		}
	}
}

// spend has twenty callers make calls, each when its last is over.
func spend(t testing.TB, call func(context.Context, string, bool) (string, error), stream func(int) bool) {
	began := time.Now()
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := 0; time.Since(began) < minutes*time.Minute; n++ {
				text, err := call(t.Context(), strings.Repeat("word ", 40+20*((i+n)%8)), stream(i))
				if !assert.NoError(t, err) {
					return
				}
				assert.Contains(t, text, " tokens")
			}
		})
	}
	wg.Wait()
}

func completions(t testing.TB, hc *http.Client) func(context.Context, string, bool) (string, error) {
	api, err := OpenAI(hc, token)
	require.NoError(t, err)
	return func(ctx context.Context, prompt string, stream bool) (string, error) {
		params := openai.ChatCompletionNewParams{
			Model: "gpt", MaxCompletionTokens: openai.Int(2048),
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
		}
		if !stream {
			answer, err := api.Chat.Completions.New(ctx, params)
			if err != nil || len(answer.Choices) != 1 {
				return "", fmt.Errorf("no choice: %w", err)
			}
			return answer.Choices[0].Message.Content, nil
		}
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		events := api.Chat.Completions.NewStreaming(ctx, params)
		defer events.Close()
		var answer openai.ChatCompletionAccumulator
		for events.Next() {
			answer.AddChunk(events.Current())
		}
		if err := events.Err(); err != nil || len(answer.Choices) != 1 {
			return "", fmt.Errorf("no choice: %w", err)
		}
		return answer.Choices[0].Message.Content, nil
	}
}

func messages(t testing.TB, hc *http.Client) func(context.Context, string, bool) (string, error) {
	api, err := Anthropic(hc, token)
	require.NoError(t, err)
	return func(ctx context.Context, prompt string, stream bool) (string, error) {
		params := anthropic.MessageNewParams{
			Model: "claude", MaxTokens: 2048,
			Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(prompt))},
		}
		if !stream {
			answer, err := api.Messages.New(ctx, params)
			if err != nil || len(answer.Content) != 1 {
				return "", fmt.Errorf("no content: %w", err)
			}
			return answer.Content[0].Text, nil
		}
		events := api.Messages.NewStreaming(ctx, params)
		defer events.Close()
		var answer anthropic.Message
		for events.Next() {
			if err := answer.Accumulate(events.Current()); err != nil {
				return "", err
			}
		}
		if err := events.Err(); err != nil || len(answer.Content) != 1 {
			return "", fmt.Errorf("no content: %w", err)
		}
		return answer.Content[0].Text, nil
	}
}
