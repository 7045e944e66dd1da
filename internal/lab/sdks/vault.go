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
	vault "github.com/hashicorp/vault/api"
)

// Vault makes a client for Vault. The configuration is vault.DefaultConfig, changed as
// needed: its certificates are kept.
func Vault(config *vault.Config, token string) (*vault.Client, error) {
	hc, err := client.Wrap(config.HttpClient)
	if err != nil {
		return nil, err
	}
	config.HttpClient = hc
	config.MaxRetries = 0 // forbear retries
	v, err := vault.NewClient(config)
	if err != nil {
		return nil, err
	}
	v.SetToken(token)
	return v, nil
}

func vaultSDK() SDK {
	return SDK{
		Name: "vault/api", Module: "github.com/hashicorp/vault/api", Func: "Vault", File: "vault.go",
		Limits: "`X-Ratelimit-*` with the reset in seconds from now, if `enable_rate_limit_response_headers` is set; 429 with `Retry-After`; here 100 in 10 s",
		Source: "https://developer.hashicorp.com/vault/api-docs/system/quotas-config",
		Own:    "2 retries by go-retryablehttp on 412, 429, every 5xx but 501, and lost connections, after 1 to 1.5 s whatever `Retry-After` says",
		Off:    "`Config.MaxRetries = 0`, or `SetMaxRetries(0)`",
		Note: "A 412 (the node has not caught up yet) is then the caller's to repeat, or that of `WithCheck`. A call may take 60 s, the wait included: " +
			"raise it with `SetClientTimeout`. `SetMaxIdleConnections` and the like need Vault's own transport: set what they set before.",
		Announced: true, Calls: 500,
		server: vaultServer, connect: connectVault,
	}
}

func connectVault(hc *http.Client, s Setup) (Call, error) {
	config := vault.DefaultConfig()
	config.HttpClient.Transport = hc.Transport
	if s == Advised {
		v, err := Vault(config, token)
		return callVault(v), err
	}
	var err error
	if config.HttpClient, err = s.wrap(config.HttpClient); err != nil {
		return nil, err
	}
	v, err := vault.NewClient(config)
	if err == nil {
		v.SetToken(token)
	}
	return callVault(v), err
}

// callVault writes a secret every fifth time, and reads one otherwise.
func callVault(v *vault.Client) Call {
	return func(ctx context.Context, i int) error {
		path := "app/" + strconv.Itoa(i)
		if i%5 == 4 {
			return v.KVv1("secret").Put(ctx, path, map[string]any{"path": path})
		}
		secret, err := v.KVv1("secret").Get(ctx, path)
		if err == nil && secret.Data["path"] != path {
			err = fmt.Errorf("the secret of %s is %v", path, secret.Data)
		}
		return err
	}
}

func vaultServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewFixed(100, 10*time.Second) },
		say: func(h http.Header, _ string, w ratemodel.Window, now time.Time) {
			h.Set("X-Ratelimit-Limit", strconv.Itoa(w.Limit))
			h.Set("X-Ratelimit-Remaining", strconv.Itoa(w.Remaining))
			h.Set("X-Ratelimit-Reset", strconv.FormatInt(up(w.Reset.Sub(now)), 10))
		},
		refuse: func(w http.ResponseWriter, wait time.Duration) {
			retryAfter(w, wait)
			reply(w, http.StatusTooManyRequests, map[string]any{"errors": []string{"request path \"secret\": rate limit quota exceeded"}})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			reply(w, http.StatusOK, map[string]any{"data": map[string]string{"path": strings.TrimPrefix(r.URL.Path, "/v1/secret/")}})
		},
	}
}
