package sdks

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/digitalocean/godo"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/forbear-go/forbear/queue"
	vault "github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// loopback sends all requests to one server.
type loopback struct {
	to   *url.URL
	base http.RoundTripper
}

func (t loopback) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = t.to.Scheme, t.to.Host
	return t.base.RoundTrip(req)
}

// It works over real connections too.
func TestLoopback(t *testing.T) {
	for _, sdk := range All() {
		t.Run(sdk.Name, func(t *testing.T) {
			api := sdk.server()
			listening := httptest.NewServer(api)
			defer listening.Close()
			to, err := url.Parse(listening.URL)
			require.NoError(t, err)
			base := http.DefaultTransport.(*http.Transport).Clone()
			defer base.CloseIdleConnections()
			call, err := sdk.connect(&http.Client{Transport: loopback{to, base}}, Advised)
			require.NoError(t, err)
			assert.Empty(t, crowd(t.Context(), callers, call))
			requests, refused := api.counts()
			assert.Equal(t, callers, requests)
			assert.Zero(t, refused)
		})
	}
}

// GitHub's searches and the rest, which have limits of their own, are told apart by
// what GitHub says, also if the caller does not.
func TestGitHubUntold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := githubServer()
		gh, err := GitHub(&http.Client{Transport: simnet.New(api, 1)}, token)
		require.NoError(t, err)
		errs := crowd(t.Context(), 4000, func(ctx context.Context, i int) error {
			if i%100 == 99 {
				_, _, err := gh.Search.Repositories(ctx, "q", nil)
				return err
			}
			_, _, err := gh.Repositories.Get(ctx, "o", "r")
			return err
		})
		assert.Empty(t, errs)
		requests, refused := api.counts()
		assert.Equal(t, 4000, requests)
		assert.Zero(t, refused)
	})
}

// A secondary limit of GitHub, which nothing announces, is waited for; go-github does
// not get to see it.
func TestGitHubSecondary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, refusals := githubServer(), 0
		hit := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refusals++; refusals > 1 {
				api.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Retry-After", "60")
			reply(w, http.StatusForbidden, map[string]string{
				"message":           "You have exceeded a secondary rate limit.",
				"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
			})
		})
		gh, err := GitHub(&http.Client{Transport: simnet.New(hit, 1)}, token)
		require.NoError(t, err)
		began := time.Now()
		require.NoError(t, callGitHub(gh)(t.Context(), 0))
		assert.Equal(t, 2, refusals)
		assert.GreaterOrEqual(t, time.Since(began), time.Minute)
	})
}

// The refusal of one method of Slack stops no other.
func TestSlackMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call, err := connectSlack(&http.Client{Transport: simnet.New(slackServer(), 1)}, Advised)
		require.NoError(t, err)
		for i := range 60 { // conversations.info is refused at the 51st
			go func() { _ = call(t.Context(), 2*i+1) }()
		}
		time.Sleep(10 * time.Second)
		began := time.Now()
		require.NoError(t, call(t.Context(), 0)) // users.info
		assert.Less(t, time.Since(began), time.Second)
		time.Sleep(5 * time.Minute) // until all have ended
	})
}

// The timeouts of the SDKs count the wait: a call that is refused for longer fails with what
// the API said, the next one fails before it is sent, and a longer timeout lets it wait.
func TestTimeouts(t *testing.T) {
	t.Run("vault", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := vaultServer()
			api.closed = 5 * time.Minute
			config := vault.DefaultConfig()
			config.HttpClient.Transport = simnet.New(api, 1)
			v, err := Vault(config, token)
			require.NoError(t, err)
			assert.ErrorContains(t, callVault(v)(t.Context(), 0), "rate limit quota exceeded")
			assert.ErrorIs(t, callVault(v)(t.Context(), 0), context.DeadlineExceeded)
			assert.Equal(t, 1, api.requests)
			api.open()
			v.SetClientTimeout(10 * time.Minute)
			assert.NoError(t, callVault(v)(t.Context(), 0))
		})
	})
	t.Run("anthropic", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := anthropicServer()
			api.closed = 15 * time.Minute
			a, err := Anthropic(&http.Client{Transport: simnet.New(api, 1)}, token)
			require.NoError(t, err)
			assert.ErrorContains(t, callAnthropic(a)(t.Context(), 0), "per-minute rate limit")
			assert.ErrorIs(t, callAnthropic(a)(t.Context(), 0), context.DeadlineExceeded)
			assert.Equal(t, 1, api.requests)
			api.open()
			a.Messages.Options = append(a.Messages.Options, option.WithRequestTimeout(time.Hour))
			assert.NoError(t, callAnthropic(a)(t.Context(), 0))
		})
	})
}

// Stripe's POSTs carry a key that makes them safe to repeat; without one, as at OpenAI,
// a POST that failed is not repeated.
func TestRepeatedPosts(t *testing.T) {
	for name, test := range map[string]struct {
		sdk  SDK
		i    int
		want int
	}{
		"stripe":    {stripeSDK(), 9, 5},
		"openai":    {openAISDK(), 0, 1},
		"anthropic": {anthropicSDK(), 0, 1},
		"slack":     {slackSDK(), 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := test.sdk.server()
				api.down = true
				call, err := test.sdk.connect(&http.Client{Transport: simnet.New(api, 1)}, Advised)
				require.NoError(t, err)
				require.Error(t, call(t.Context(), test.i))
				requests, _ := api.counts()
				assert.Equal(t, test.want, requests)
			})
		})
	}
}

// A wait beyond the patience reaches the caller through each SDK as forbear's error,
// which tells until when; through those that keep no error, as its text.
func TestErrors(t *testing.T) {
	for _, sdk := range All() {
		t.Run(sdk.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := sdk.server()
				api.closed = 2 * time.Second
				call, err := sdk.connect(&http.Client{Transport: simnet.New(api, 1)}, Advised)
				require.NoError(t, err)
				require.Error(t, call(t.Context(), 0))
				err = call(client.NoWait(t.Context()), 0)
				if sdk.Opaque {
					assert.ErrorContains(t, err, "would have to wait")
					return
				}
				var limited *client.Error
				require.ErrorAs(t, err, &limited)
				assert.ErrorIs(t, err, client.ErrNoWait)
				assert.True(t, limited.Until.After(time.Now()), limited)
			})
		})
	}
}

// Who knows the limit of an API that tells nothing, and says it, is not refused.
func TestStripeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := stripeServer()
		rule := queue.Rule{Limits: []queue.Quota{queue.PerSecond(25)}}
		hc, err := client.Wrap(&http.Client{Transport: simnet.New(api, 1)}, client.WithRule(rule))
		require.NoError(t, err)
		call, err := connectStripe(hc, Alone)
		require.NoError(t, err)
		began := time.Now()
		assert.Empty(t, crowd(t.Context(), stripeSDK().Calls, call))
		requests, refused := api.counts()
		assert.Equal(t, stripeSDK().Calls, requests)
		assert.Zero(t, refused)
		t.Log(time.Since(began))
	})
}

// lost is a network on which every connection is lost.
type lost struct{ requests int }

func (t *lost) RoundTrip(req *http.Request) (*http.Response, error) {
	t.requests++
	if req.Body != nil {
		req.Body.Close()
	}
	return nil, io.ErrUnexpectedEOF
}

// A lost connection is what all SDKs would retry that retry anything, up to ten times:
// by forbear alone, when they do not.
func TestLost(t *testing.T) {
	for _, sdk := range All() {
		t.Run(sdk.Name, func(t *testing.T) {
			for setup, most := range map[Setup]int{Advised: 5, LeftOn: 55} {
				synctest.Test(t, func(t *testing.T) {
					network := &lost{}
					call, err := sdk.connect(&http.Client{Transport: network}, setup)
					require.NoError(t, err)
					require.Error(t, call(t.Context(), 0))
					assert.LessOrEqual(t, network.requests, most, setup)
				})
			}
		})
	}
}

// The retry configuration of godo puts another client in place of the one it got: then
// forbear sees no request. Where its transport is not one of oauth2, it panics.
func TestGodoRetryConfig(t *testing.T) {
	retries := godo.WithRetryAndBackoffs(godo.RetryConfig{RetryMax: 4})
	seen := &lost{}
	limited, err := client.NewTransport(seen)
	require.NoError(t, err)
	assert.Panics(t, func() { _, _ = godo.New(&http.Client{Transport: limited}, retries) })

	api, err := godo.New(oauth2.NewClient(context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: limited}),
		oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})), retries)
	require.NoError(t, err)
	listening := httptest.NewServer(godoServer())
	defer listening.Close()
	api.BaseURL, err = url.Parse(listening.URL + "/")
	require.NoError(t, err)
	require.NoError(t, callGodo(api)(t.Context(), 0))
	assert.Zero(t, seen.requests)
}

// The default limiter of cloudflare-go holds calls back that the API would take.
func TestCloudflareLimiter(t *testing.T) {
	for setup, want := range map[Setup]time.Duration{Advised: 5 * time.Second, LeftOn: 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			call, err := connectCloudflare(&http.Client{Transport: simnet.New(cloudflareServer(), 1)}, setup)
			require.NoError(t, err)
			began := time.Now()
			require.Empty(t, crowd(t.Context(), 100, call))
			assert.InDelta(t, want, time.Since(began), float64(5*time.Second), setup)
		})
	}
}
