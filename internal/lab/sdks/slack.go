package sdks

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/slack-go/slack"
)

// Slack makes a client for Slack.
func Slack(hc *http.Client, token string) (*slack.Client, error) {
	// The token travels in the body, and each method has a limit of its own.
	key := func(r *http.Request) string { return token + r.URL.Path }
	hc, err := client.Wrap(hc, client.WithKeyFunc(key))
	if err != nil {
		return nil, err
	}
	return slack.New(token, slack.OptionHTTPClient(hc)), nil
}

func slackSDK() SDK {
	return SDK{
		Name: "slack-go", Module: "github.com/slack-go/slack", Func: "Slack", File: "slack.go",
		Limits: "nothing but `Retry-After` on a 429; each method by itself, here 50 and 100 a minute (tiers 3 and 4)",
		Source: "https://docs.slack.dev/apis/web-api/rate-limits",
		Own:    "nothing, unless `OptionRetry(n)` asks for it: then n retries after `Retry-After`",
		Off:    "leave `OptionRetry` away",
		Note: "It sends the token in the body, where forbear does not look: the key function tells tokens apart, " +
			"and keeps one method's refusal from stopping the others.",
		Calls:  500,
		server: slackServer, connect: connectSlack,
	}
}

func connectSlack(hc *http.Client, s Setup) (Call, error) {
	switch s {
	case Alone:
		return callSlack(slack.New(token, slack.OptionHTTPClient(hc), slack.OptionRetry(3))), nil
	case LeftOn:
		key := func(r *http.Request) string { return token + r.URL.Path }
		hc, err := client.Wrap(hc, client.WithKeyFunc(key))
		return callSlack(slack.New(token, slack.OptionHTTPClient(hc), slack.OptionRetry(3))), err
	}
	api, err := Slack(hc, token)
	return callSlack(api), err
}

// callSlack asks for a user every other time, and for a conversation otherwise.
func callSlack(api *slack.Client) Call {
	return func(ctx context.Context, i int) error {
		want, got := "X"+strconv.Itoa(i), ""
		var err error
		if i%2 == 0 {
			var user *slack.User
			if user, err = api.GetUserInfoContext(ctx, want); err == nil {
				got = user.ID
			}
		} else {
			var channel *slack.Channel
			if channel, err = api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: want}); err == nil {
				got = channel.ID
			}
		}
		if err != nil {
			return err
		}
		return expect(want, got)
	}
}

func slackServer() *server {
	return &server{
		kind: func(r *http.Request) string { return r.URL.Path },
		model: func(kind string) ratemodel.Model {
			if strings.HasSuffix(kind, "/users.info") {
				return ratemodel.NewFixed(100, time.Minute)
			}
			return ratemodel.NewFixed(50, time.Minute)
		},
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			reply(w, http.StatusTooManyRequests, map[string]any{"ok": false, "error": "ratelimited"})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm() // a form that cannot be read holds nothing
			reply(w, http.StatusOK, map[string]any{
				"ok": true, "user": map[string]string{"id": r.PostForm.Get("user")}, "channel": map[string]string{"id": r.PostForm.Get("channel")},
			})
		},
	}
}
