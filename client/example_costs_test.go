package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
)

// A server of one's own that speaks as OpenAI's does limits the tokens a minute.
func ExampleWithCosts() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit-Tokens", "1000")
		w.Header().Set("X-RateLimit-Remaining-Tokens", "900")
		w.Header().Set("X-RateLimit-Reset-Tokens", "6s")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"usage":{"total_tokens":100}}`)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")

	own := *cost.Named("openai") // a proxy, or a server of your own that speaks as OpenAI's does
	own.Hosts = []string{host}
	hc, err := client.New(client.WithCosts(&own))
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := func(maxTokens int) error {
		body := fmt.Sprintf(`{"model":"small","max_tokens":%d,"messages":[]}`, maxTokens)
		resp, err := hc.Post(server.URL, "application/json", strings.NewReader(body))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body) // says what it cost
		return errors.Join(err, resp.Body.Close())
	}
	fmt.Println(ask(50))

	ctx := client.WithUnits(context.Background(), cost.Tokens(2000)) // what it surely costs, in place of the estimate
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(`{"model":"small"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	tooMuch, ok := errors.AsType[*queue.CostError](err)
	fmt.Println(ok, tooMuch)
	// Output:
	// <nil>
	// true queue: cost 2000 exceeds the 1000 that limit "tokens" allows at once
}

// An API that announces no limit of tokens, but documents one: a rule counts what responses say that they used.
func ExampleWithRule_tokens() {
	hc, err := client.New(client.WithRule(queue.Rule{
		Name: "claude", Pattern: "bedrock-runtime.us-east-1.amazonaws.com/", Scope: queue.PerHost,
		Limits: []queue.Quota{queue.PerMinute(200_000).Of("tokens")},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := client.WithUnits(context.Background(), cost.Tokens(200_001)) // too much for any minute
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-sonnet-4/converse", strings.NewReader("{}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	tooMuch, ok := errors.AsType[*queue.CostError](err)
	fmt.Println(ok, tooMuch)
	// Output:
	// true queue: cost 200001 exceeds the 200000 that limit "claude, 200000 tokens per minute" allows at once
}
