package sdks

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/andygrunwald/go-jira"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Jira makes a client for Jira.
func Jira(hc *http.Client, url, user, token string) (*jira.Client, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return nil, err
	}
	hc.Transport = &jira.BasicAuthTransport{Username: user, Password: token, Transport: hc.Transport}
	return jira.NewClient(hc, url)
}

func jiraSDK() SDK {
	return SDK{
		Name: "go-jira", Module: "github.com/andygrunwald/go-jira", Func: "Jira", File: "jira.go",
		Limits: "`X-RateLimit-{Limit,Remaining,Reset}` with the reset as an ISO date without seconds; 429 with `Retry-After`; here 100 a minute",
		Source: "https://developer.atlassian.com/cloud/jira/platform/rate-limiting/",
		Own:    "nothing: what is refused fails",
		Off:    "nothing to do",
		Note: "Its auth transports take a transport below them, and use http.DefaultTransport if there is none: `Transport` must be " +
			"forbear's, or it is gone.",
		Announced: true, Calls: 300,
		server: jiraServer, connect: connectJira,
	}
}

func connectJira(hc *http.Client, s Setup) (Call, error) {
	if s == Alone {
		api, err := jira.NewClient(hc, "https://example.atlassian.net/")
		return callJira(api), err
	}
	api, err := Jira(hc, "https://example.atlassian.net/", "user", token) // there are no retries that could be left on
	return callJira(api), err
}

func callJira(api *jira.Client) Call {
	return func(ctx context.Context, i int) error {
		want := "KEY-" + strconv.Itoa(i)
		got, _, err := api.Issue.GetWithContext(ctx, want, nil)
		if err != nil {
			return err
		}
		return expect(want, got.Key)
	}
}

func jiraServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewFixed(100, time.Minute) },
		say: func(h http.Header, _ string, w ratemodel.Window, _ time.Time) {
			h.Set("X-RateLimit-Limit", strconv.Itoa(w.Limit))
			h.Set("X-RateLimit-Remaining", strconv.Itoa(w.Remaining))
			h.Set("X-RateLimit-Reset", w.Reset.UTC().Format("2006-01-02T15:04Z"))
		},
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			w.Header().Set("Ratelimit-Reason", "jira-burst-based")
			reply(w, http.StatusTooManyRequests, map[string]any{"errorMessages": []string{"Rate limit exceeded."}})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusOK, map[string]string{"key": path.Base(r.URL.Path)})
		},
	}
}
