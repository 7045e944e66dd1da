package sdks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// OpenAI makes a client for OpenAI.
func OpenAI(hc *http.Client, token string) (openai.Client, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return openai.Client{}, err
	}
	return openai.NewClient(
		option.WithHTTPClient(hc),
		option.WithAPIKey(token),
		option.WithMaxRetries(0), // forbear retries
	), nil
}

func openAISDK() SDK {
	return SDK{
		Name: "openai-go", Module: "github.com/openai/openai-go/v3", Func: "OpenAI", File: "openai.go",
		Limits: "`x-ratelimit-{limit,remaining,reset}-requests` and `-tokens` with resets like `6m0s`, which tell when all is back; here 60 requests a minute",
		Source: "https://developers.openai.com/api/docs/guides/rate-limits",
		Own:    "2 retries of any method, also of a POST, on 408, 409, 429, every 5xx and lost connections; after `Retry-After`, else 0.5 to 8 s",
		Off:    "`option.WithMaxRetries(0)`",
		Note: "Then a POST that failed with a 5xx is not repeated: it may have been executed, and paid for. " +
			"To repeat it all the same, mark the request with `backoff.WithIdempotent`.",
		Announced: true, Calls: 300,
		server: openAIServer, connect: connectOpenAI,
	}
}

func connectOpenAI(hc *http.Client, s Setup) (Call, error) {
	if s == Advised {
		api, err := OpenAI(hc, token)
		return callOpenAI(api), err
	}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	return callOpenAI(openai.NewClient(option.WithHTTPClient(hc), option.WithAPIKey(token))), nil
}

// callOpenAI asks for a completion, which the server makes of the prompt.
func callOpenAI(api openai.Client) Call {
	return func(ctx context.Context, i int) error {
		prompt := "prompt " + strconv.Itoa(i)
		answer, err := api.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
			Model: "gpt", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
		})
		if err == nil && (len(answer.Choices) != 1 || answer.Choices[0].Message.Content != prompt) {
			err = fmt.Errorf("the answer to %q is %v", prompt, answer.Choices)
		}
		return err
	}
}

func openAIServer() *server {
	return &server{
		model: func(string) ratemodel.Model {
			b := ratemodel.NewBucket(60, 60, time.Minute)
			b.Reset = ratemodel.ResetFull
			return b
		},
		say: func(h http.Header, _ string, w ratemodel.Window, now time.Time) {
			h.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(w.Limit))
			h.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(w.Remaining))
			h.Set("X-Ratelimit-Reset-Requests", w.Reset.Sub(now).Round(time.Millisecond).String())
			h.Set("X-Ratelimit-Limit-Tokens", "150000")
			h.Set("X-Ratelimit-Remaining-Tokens", "149984")
			h.Set("X-Ratelimit-Reset-Tokens", "6ms")
		},
		refuse: func(w http.ResponseWriter, _ time.Duration) {
			reply(w, http.StatusTooManyRequests, map[string]any{"error": map[string]any{
				"message": "Rate limit reached for requests", "type": "requests", "param": nil, "code": "rate_limit_exceeded",
			}})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			var asked struct {
				Messages []struct {
					Content string `json:"content"`
				} `json:"messages"`
			}
			if json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.Messages) != 1 {
				reply(w, http.StatusBadRequest, nil)
				return
			}
			reply(w, http.StatusOK, map[string]any{
				"object": "chat.completion",
				"choices": []any{map[string]any{
					"finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": asked.Messages[0].Content},
				}},
			})
		},
	}
}
