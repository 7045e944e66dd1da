package sdks

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/stripe/stripe-go/v85"
)

// Stripe makes a client for Stripe.
func Stripe(hc *http.Client, token string) (*stripe.Client, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return nil, err
	}
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		HTTPClient:        hc,
		MaxNetworkRetries: stripe.Int64(0), // forbear retries
	})
	return stripe.NewClient(token, stripe.WithBackends(backends)), nil
}

func stripeSDK() SDK {
	return SDK{
		Name: "stripe-go", Module: "github.com/stripe/stripe-go/v85", Func: "Stripe", File: "stripe.go",
		Limits: "nothing but a 429; here 25 requests a second, as in a sandbox",
		Source: "https://docs.stripe.com/rate-limits",
		Own: "2 retries after 0.5 to 5 s on lost connections, answers that are not of Stripe's form, " +
			"and a 429 for a lock (`lock_timeout`); none on other refusals",
		Off: "`BackendConfig.MaxNetworkRetries: stripe.Int64(0)`",
		Note: "It puts an `Idempotency-Key` on every POST, so forbear may repeat those too. With " +
			"`client.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerSecond(25)}})` none of the calls above is refused.",
		Calls:  2500,
		server: stripeServer, connect: connectStripe,
	}
}

func connectStripe(hc *http.Client, s Setup) (Call, error) {
	if s == Advised {
		api, err := Stripe(hc, token)
		return callStripe(api), err
	}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{HTTPClient: hc, LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}})
	return callStripe(stripe.NewClient(token, stripe.WithBackends(backends))), nil
}

// callStripe makes a customer every tenth time, and gets one otherwise.
func callStripe(api *stripe.Client) Call {
	return func(ctx context.Context, i int) error {
		want := "cus_" + strconv.Itoa(i)
		var got *stripe.Customer
		var err error
		if i%10 == 9 {
			got, err = api.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Name: stripe.String(want)})
		} else {
			got, err = api.V1Customers.Retrieve(ctx, want, nil)
		}
		if err != nil {
			return err
		}
		return expect(want, got.ID)
	}
}

func stripeServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewFixed(25, time.Second) },
		refuse: func(w http.ResponseWriter, _ time.Duration) {
			w.Header().Set("Stripe-Rate-Limited-Reason", "global-rate")
			reply(w, http.StatusTooManyRequests, map[string]any{"error": map[string]string{
				"type": "invalid_request_error", "code": "rate_limit", "message": "Request rate limit exceeded.",
			}})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			id := strings.TrimPrefix(r.URL.Path, "/v1/customers/")
			if r.Method == http.MethodPost {
				_ = r.ParseForm() // a form that cannot be read holds nothing
				id = r.PostForm.Get("name")
			}
			reply(w, http.StatusOK, map[string]string{"object": "customer", "id": id})
		},
	}
}
