package sdks

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/zmb3/spotify/v2"
	"golang.org/x/oauth2"
)

// Spotify makes a client for Spotify.
func Spotify(hc *http.Client, tokens oauth2.TokenSource) (*spotify.Client, error) {
	base := hc.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	// Below forbear a token is fresh when the request goes, and a new one is no new key.
	transport, err := client.NewTransport(&oauth2.Transport{Base: base, Source: tokens})
	if err != nil {
		return nil, err
	}
	return spotify.New(&http.Client{Transport: transport, Timeout: hc.Timeout}), nil // without WithRetry
}

func spotifySDK() SDK {
	return SDK{
		Name: "spotify", Module: "github.com/zmb3/spotify/v2", Func: "Spotify", File: "spotify.go",
		Limits: "nothing but `Retry-After` on a 429; a rolling window of 30 s, how much it allows is not told; here 90",
		Source: "https://developer.spotify.com/documentation/web-api/concepts/rate-limits",
		Own:    "nothing, unless `WithRetry(true)` asks for it: then a 429 is repeated until the context ends, after `Retry-After`, else 5 s",
		Off:    "leave `WithRetry` away",
		Note: "Its tokens last an hour, so they go below. With `WithRetry(true)` a call may last for ever: the calls above have " +
			"a deadline of ten minutes.",
		Calls:  400,
		server: spotifyServer, connect: connectSpotify,
	}
}

func connectSpotify(hc *http.Client, s Setup) (Call, error) {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	switch s {
	case Alone:
		return callSpotify(spotify.New(hc, spotify.WithRetry(true))), nil
	case LeftOn:
		hc, err := client.Wrap(hc)
		return callSpotify(spotify.New(hc, spotify.WithRetry(true))), err
	}
	api, err := Spotify(hc, tokens)
	return callSpotify(api), err
}

func callSpotify(api *spotify.Client) Call {
	return func(ctx context.Context, i int) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
		defer cancel()
		want := spotify.ID("track" + strconv.Itoa(i))
		got, err := api.GetTrack(ctx, want)
		if err != nil {
			return err
		}
		return expect(want, got.ID)
	}
}

func spotifyServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewSlidingLog(90, 30*time.Second) },
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			reply(w, http.StatusTooManyRequests, map[string]any{"error": map[string]any{"status": 429, "message": "API rate limit exceeded"}})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusOK, map[string]string{"id": path.Base(r.URL.Path)})
		},
	}
}
