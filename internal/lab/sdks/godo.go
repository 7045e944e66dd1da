package sdks

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/digitalocean/godo"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"golang.org/x/oauth2"
)

// DigitalOcean makes a client for DigitalOcean.
func DigitalOcean(hc *http.Client, token string) (*godo.Client, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return nil, err
	}
	hc.Transport = &oauth2.Transport{
		Base:   hc.Transport, // forbear below it sees whose token it is
		Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}),
	}
	return godo.New(hc) // not NewFromToken, and without WithRetryAndBackoffs
}

func godoSDK() SDK {
	return SDK{
		Name: "godo", Module: "github.com/digitalocean/godo", Func: "DigitalOcean", File: "godo.go",
		Limits: "`ratelimit-{limit,remaining,reset}` with the time at which the oldest request expires, in epoch seconds; here 250 a minute, rolling",
		Source: "https://docs.digitalocean.com/reference/api/intro/#rate-limit",
		Own:    "none with `New`; 4 retries by go-retryablehttp with `NewFromToken`, which takes no client at all",
		Off:    "leave `WithRetryAndBackoffs` away",
		Note: "`WithRetryAndBackoffs` puts a client of its own in place of yours: forbear is silently gone, and where the transport " +
			"is not an `oauth2.Transport`, `New` panics.",
		Announced: true, Calls: 600,
		server: godoServer, connect: connectGodo,
	}
}

func connectGodo(hc *http.Client, s Setup) (Call, error) {
	if s == Alone {
		api, err := godo.New(hc)
		return callGodo(api), err
	}
	api, err := DigitalOcean(hc, token) // there are no retries that could be left on
	return callGodo(api), err
}

func callGodo(api *godo.Client) Call {
	return func(ctx context.Context, i int) error {
		got, _, err := api.Droplets.Get(ctx, i+1)
		if err != nil {
			return err
		}
		return expect(i+1, got.ID)
	}
}

func godoServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewSlidingLog(250, time.Minute) },
		say:   inEpochSeconds("Ratelimit"),
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			reply(w, http.StatusTooManyRequests, map[string]string{"id": "too_many_requests", "message": "API rate limit exceeded."})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			id, _ := strconv.Atoi(path.Base(r.URL.Path))
			reply(w, http.StatusOK, map[string]any{"droplet": map[string]int{"id": id}})
		},
	}
}
