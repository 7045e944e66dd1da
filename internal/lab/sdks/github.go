package sdks

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/google/go-github/v89/github"
)

// GitHub makes a client for GitHub.
func GitHub(hc *http.Client, token string) (*github.Client, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return nil, err
	}
	return github.NewClient(
		github.WithHTTPClient(hc),
		github.WithAuthToken(token),
		github.WithDisableRateLimitCheck(), // waiting is up to forbear
	)
}

func githubSDK() SDK {
	return SDK{
		Name: "go-github", Module: "github.com/google/go-github/v89", Func: "GitHub", File: "github.go",
		Limits: "`X-RateLimit-*` with the reset in epoch seconds and `X-RateLimit-Resource`: 5,000 an hour, 30 searches a minute; " +
			"403 with none left; secondary limits: 403 with `Retry-After`",
		Source: "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
		Own:    "no retries; but once nothing is left it fails calls by itself until the reset, without sending them",
		Off:    "`WithDisableRateLimitCheck()`",
		Note: "With its own check left on no request is sent twice, but calls may fail that would only have had to wait. " +
			"Core, search and the other resources are told apart by what their responses say.",
		Announced: true, Calls: 5400,
		server: githubServer, connect: connectGitHub,
	}
}

func connectGitHub(hc *http.Client, s Setup) (Call, error) {
	if s == Advised {
		gh, err := GitHub(hc, token)
		return callGitHub(gh), err
	}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	gh, err := github.NewClient(github.WithHTTPClient(hc), github.WithAuthToken(token))
	return callGitHub(gh), err
}

// callGitHub searches every hundredth time, and gets a repository otherwise.
func callGitHub(gh *github.Client) Call {
	return func(ctx context.Context, i int) error {
		name := "repo-" + strconv.Itoa(i)
		if i%100 == 99 {
			found, _, err := gh.Search.Repositories(ctx, name, nil)
			if err == nil && (len(found.Repositories) != 1 || found.Repositories[0].GetName() != name) {
				err = fmt.Errorf("the search for %s found %v", name, found.Repositories)
			}
			return err
		}
		repo, _, err := gh.Repositories.Get(ctx, "o", name)
		if err != nil {
			return err
		}
		return expect(name, repo.GetName())
	}
}

func githubServer() *server {
	return &server{
		kind: func(r *http.Request) string {
			if strings.HasPrefix(r.URL.Path, "/search/") {
				return "search"
			}
			return "core"
		},
		model: func(kind string) ratemodel.Model {
			if kind == "search" {
				return ratemodel.NewFixed(30, time.Minute)
			}
			return ratemodel.NewFixed(5000, time.Hour)
		},
		say: func(h http.Header, kind string, w ratemodel.Window, _ time.Time) {
			h.Set("X-RateLimit-Limit", strconv.Itoa(w.Limit))
			h.Set("X-RateLimit-Remaining", strconv.Itoa(w.Remaining))
			h.Set("X-RateLimit-Used", strconv.Itoa(w.Limit-w.Remaining))
			h.Set("X-RateLimit-Reset", strconv.FormatInt(upTo(w.Reset).Unix(), 10))
			h.Set("X-RateLimit-Resource", kind)
		},
		refuse: func(w http.ResponseWriter, _ time.Duration) {
			reply(w, http.StatusForbidden, map[string]string{
				"message":           "API rate limit exceeded for user ID 1.",
				"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
			})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			if name := r.URL.Query().Get("q"); name != "" {
				reply(w, http.StatusOK, map[string]any{"total_count": 1, "items": []any{map[string]string{"name": name}}})
				return
			}
			_, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/repos/"), "/")
			reply(w, http.StatusOK, map[string]string{"name": name})
		},
	}
}
