package sdks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Anthropic makes a client for Anthropic.
func Anthropic(hc *http.Client, token string) (anthropic.Client, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return anthropic.Client{}, err
	}
	return anthropic.NewClient(
		option.WithHTTPClient(hc),
		option.WithAPIKey(token),
		option.WithMaxRetries(0), // forbear retries
	), nil
}

func anthropicSDK() SDK {
	return SDK{
		Name: "anthropic-sdk-go", Module: "github.com/anthropics/anthropic-sdk-go", Func: "Anthropic", File: "anthropic.go",
		Limits: "`anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}` with the reset as RFC 3339; 429 with `retry-after`; here 50 requests a minute",
		Source: "https://platform.claude.com/docs/en/api/rate-limits",
		Own:    "as openai-go",
		Off:    "`option.WithMaxRetries(0)`",
		Note: "As openai-go. A message that is not streamed gets a deadline of ten minutes, the wait included: " +
			"raise it with `option.WithRequestTimeout` where the line is long.",
		Announced: true, Calls: 250,
		server: anthropicServer, connect: connectAnthropic,
	}
}

func connectAnthropic(hc *http.Client, s Setup) (Call, error) {
	if s == Advised {
		api, err := Anthropic(hc, token)
		return callAnthropic(api), err
	}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	return callAnthropic(anthropic.NewClient(option.WithHTTPClient(hc), option.WithAPIKey(token))), nil
}

// callAnthropic asks for a message, which the server makes of the prompt.
func callAnthropic(api anthropic.Client) Call {
	return func(ctx context.Context, i int) error {
		prompt := "prompt " + strconv.Itoa(i)
		answer, err := api.Messages.New(ctx, anthropic.MessageNewParams{
			Model: "claude", MaxTokens: 16, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(prompt))},
		})
		if err == nil && (len(answer.Content) != 1 || answer.Content[0].Text != prompt) {
			err = fmt.Errorf("the answer to %q is %v", prompt, answer.Content)
		}
		return err
	}
}

func anthropicServer() *server {
	return &server{
		model: func(string) ratemodel.Model {
			b := ratemodel.NewBucket(50, 50, time.Minute)
			b.Reset = ratemodel.ResetFull
			return b
		},
		say: func(h http.Header, _ string, w ratemodel.Window, now time.Time) {
			h.Set("Anthropic-Ratelimit-Requests-Limit", strconv.Itoa(w.Limit))
			h.Set("Anthropic-Ratelimit-Requests-Remaining", strconv.Itoa(w.Remaining))
			h.Set("Anthropic-Ratelimit-Requests-Reset", upTo(w.Reset).UTC().Format(time.RFC3339))
			h.Set("Anthropic-Ratelimit-Tokens-Limit", "30000")
			h.Set("Anthropic-Ratelimit-Tokens-Remaining", "29000")
			h.Set("Anthropic-Ratelimit-Tokens-Reset", upTo(now).UTC().Format(time.RFC3339))
		},
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			reply(w, http.StatusTooManyRequests, map[string]any{
				"type": "error", "error": map[string]string{"type": "rate_limit_error", "message": "Number of requests has exceeded your per-minute rate limit."},
			})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			var asked struct {
				Messages []struct {
					Content []json.RawMessage `json:"content"`
				} `json:"messages"`
			}
			if json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.Messages) != 1 {
				reply(w, http.StatusBadRequest, nil)
				return
			}
			reply(w, http.StatusOK, map[string]any{
				"type": "message", "role": "assistant", "stop_reason": "end_turn", "content": asked.Messages[0].Content,
			})
		},
	}
}
