package sdks

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/cloudflare/cloudflare-go"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Cloudflare makes a client for Cloudflare.
func Cloudflare(hc *http.Client, token string) (*cloudflare.API, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return nil, err
	}
	return cloudflare.NewWithAPIToken(token,
		cloudflare.HTTPClient(hc),
		cloudflare.UsingRateLimit(1e9),       // forbear waits,
		cloudflare.UsingRetryPolicy(0, 0, 0)) // and retries
}

func cloudflareSDK() SDK {
	return SDK{
		Name: "cloudflare-go", Module: "github.com/cloudflare/cloudflare-go", Func: "Cloudflare", File: "cloudflare.go",
		Limits: "`Ratelimit` and `Ratelimit-Policy`, the IETF's structured fields; 429 with `retry-after`; here 1,200 in five minutes",
		Source: "https://developers.cloudflare.com/fundamentals/api/reference/limits/",
		Own:    "a limiter of 4 requests a second, one at a time; 3 retries of any method on 429 and 5xx after 1 to 30 s, whatever `retry-after` says",
		Off:    "`UsingRateLimit(1e9)` and `UsingRetryPolicy(0, 0, 0)`",
		Note: "Its limiter is of one client, and knows neither of other programs nor of what is left. The answer to a call that is " +
			"refused in the end is an error without status.",
		Announced: true, Calls: 1500,
		server: cloudflareServer, connect: connectCloudflare,
	}
}

func connectCloudflare(hc *http.Client, s Setup) (Call, error) {
	if s == Advised {
		api, err := Cloudflare(hc, token)
		return callCloudflare(api), err
	}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	api, err := cloudflare.NewWithAPIToken(token, cloudflare.HTTPClient(hc))
	return callCloudflare(api), err
}

func callCloudflare(api *cloudflare.API) Call {
	return func(ctx context.Context, i int) error {
		want := fmt.Sprintf("%032d", i)
		got, err := api.ZoneDetails(ctx, want)
		if err != nil {
			return err
		}
		return expect(want, got.ID)
	}
}

func cloudflareServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewFixed(1200, 5*time.Minute) },
		say: func(h http.Header, _ string, w ratemodel.Window, now time.Time) {
			h.Set("Ratelimit", fmt.Sprintf(`"default";r=%d;t=%d`, w.Remaining, up(w.Reset.Sub(now))))
			h.Set("Ratelimit-Policy", `"default";q=1200;w=300`)
		},
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			reply(w, http.StatusTooManyRequests, map[string]any{
				"success": false, "errors": []map[string]any{{"code": 971, "message": "Please wait and consider throttling your request speed"}},
			})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusOK, map[string]any{"success": true, "result": map[string]string{"id": path.Base(r.URL.Path)}})
		},
	}
}
