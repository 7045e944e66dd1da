package sdks

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/okta/okta-sdk-golang/v5/okta"
)

// Okta makes a client for Okta.
func Okta(hc *http.Client, url, token string) (*okta.APIClient, error) {
	hc, err := client.Wrap(hc)
	if err != nil {
		return nil, err
	}
	cfg, err := okta.NewConfiguration(
		okta.WithOrgUrl(url),
		okta.WithToken(token),
		okta.WithHttpClientPtr(hc),
		okta.WithRateLimitMaxRetries(0), // forbear retries, whatever a file or the environment says
	)
	if err != nil {
		return nil, err
	}
	return okta.NewAPIClient(cfg), nil
}

func oktaSDK() SDK {
	return SDK{
		Name: "okta-sdk-golang", Module: "github.com/okta/okta-sdk-golang/v5", Func: "Okta", File: "okta.go",
		Limits: "`X-Rate-Limit-{Limit,Remaining,Reset}` in epoch seconds, of the endpoint; 429 without `Retry-After`; here 600 a minute",
		Source: "https://developer.okta.com/docs/reference/rl-best-practices/",
		Own: "nothing, unless `WithRateLimitMaxRetries(n)`, a file or the environment asks for it: then n retries of a 429 after " +
			"the reset, but after no more seconds than `WithRateLimitMaxBackOff` says, which is 0",
		Off: "`WithRateLimitMaxRetries(0)`",
		Note: "It reads `~/.okta/okta.yaml` and `OKTA_CLIENT_*`: retries that are set there count unless the code says 0, and with " +
			"a proxy that is set there it puts a client of its own in place of yours, so that forbear is silently gone. A " +
			"connection that ends with EOF is repeated at once and without end: give calls a deadline. The answer to a call " +
			"that is refused in the end is the error `too many requests`, without a body, and of an error of forbear it " +
			"keeps the text only: `errors.As` does not find it.",
		Announced: true, Opaque: true, Calls: 1500,
		server: oktaServer, connect: connectOkta,
	}
}

const oktaURL = "https://example.okta.com"

func connectOkta(hc *http.Client, s Setup) (Call, error) {
	var api *okta.APIClient
	var err error
	outside.run(func() { api, err = dialOkta(s) })
	if err != nil {
		return nil, err
	}
	if s != Alone {
		if _, ok := api.GetConfig().HTTPClient.Transport.(*client.Transport); !ok {
			return nil, errors.New("okta: its client is not the one that it was given")
		}
		if hc, err = client.Wrap(hc); err != nil { // the same again, in the bubble
			return nil, err
		}
	}
	api.GetConfig().HTTPClient = hc
	return callOkta(api), nil
}

func dialOkta(s Setup) (*okta.APIClient, error) {
	if s == Advised {
		return Okta(&http.Client{}, oktaURL, token)
	}
	hc := &http.Client{}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	cfg, err := okta.NewConfiguration(okta.WithOrgUrl(oktaURL), okta.WithToken(token), okta.WithHttpClientPtr(hc),
		okta.WithRateLimitMaxRetries(2), okta.WithRateLimitMaxBackOff(30))
	if err != nil {
		return nil, err
	}
	return okta.NewAPIClient(cfg), nil
}

// outside is a goroutine that is in no bubble of testing/synctest. Okta's client starts
// one that never ends, and a bubble waits for all that are in it.
var outside = newWorker()

type worker struct {
	mu         sync.Mutex // held from work to done
	work, done chan func()
}

func newWorker() *worker {
	w := &worker{work: make(chan func()), done: make(chan func())}
	go func() {
		for f := range w.work {
			f()
			w.done <- nil
		}
	}()
	return w
}

func (w *worker) run(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.work <- f
	<-w.done
}

func callOkta(api *okta.APIClient) Call {
	return func(ctx context.Context, i int) error {
		want := "user" + strconv.Itoa(i)
		got, _, err := api.UserAPI.GetUser(ctx, want).Execute()
		if err != nil {
			return err
		}
		return expect(want, got.GetId())
	}
}

func oktaServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewFixed(600, time.Minute) },
		say:   inEpochSeconds("X-Rate-Limit"),
		refuse: func(w http.ResponseWriter, _ time.Duration) {
			reply(w, http.StatusTooManyRequests, map[string]string{
				"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests.",
			})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusOK, map[string]string{"id": path.Base(r.URL.Path)})
		},
	}
}
