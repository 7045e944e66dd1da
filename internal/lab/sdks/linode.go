package sdks

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/linode/linodego"
)

// Linode makes a client for Linode.
func Linode(hc *http.Client, token string) (*linodego.Client, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return nil, err
	}
	api := linodego.NewClient(hc)
	api.SetToken(token)
	api.SetRetryCount(0) // forbear retries
	return &api, nil
}

func linodeSDK() SDK {
	return SDK{
		Name: "linodego", Module: "github.com/linode/linodego", Func: "Linode", File: "linode.go",
		Limits: "`X-RateLimit-{Limit,Remaining,Reset}` in epoch seconds; 429 with `Retry-After`; here 1,600 a minute",
		Source: "https://techdocs.akamai.com/linode-api/reference/rate-limits",
		Own: "1,000 retries of any method on 408, 429, 503, a 400 that says it is busy, and HTTP/2's GOAWAY, after `Retry-After`, " +
			"else 3 s or more; all of them in its log",
		Off: "`SetRetryCount(0)`",
		Note: "A call to an API that is down for an hour is held by the SDK's own retries for that hour: give calls a deadline. " +
			"Here each has one of ten minutes. It keeps the text of an error only: `errors.As` does not find forbear's.",
		Announced: true, Opaque: true, Calls: 4000,
		server: linodeServer, connect: connectLinode,
	}
}

func connectLinode(hc *http.Client, s Setup) (Call, error) {
	if s == Advised {
		api, err := Linode(hc, token)
		return callLinode(api), err
	}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	api := linodego.NewClient(hc)
	api.SetToken(token)
	return callLinode(&api), nil
}

func callLinode(api *linodego.Client) Call {
	return func(ctx context.Context, i int) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
		defer cancel()
		got, err := api.GetInstance(ctx, i+1)
		if err != nil {
			return err
		}
		return expect(i+1, got.ID)
	}
}

func linodeServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewFixed(1600, time.Minute) },
		say:   inEpochSeconds("X-RateLimit"),
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			reply(w, http.StatusTooManyRequests, map[string]any{"errors": []map[string]string{{"reason": "Too many requests"}}})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			id, _ := strconv.Atoi(path.Base(r.URL.Path))
			reply(w, http.StatusOK, map[string]int{"id": id})
		},
	}
}
