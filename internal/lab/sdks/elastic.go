package sdks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Elastic makes the transport of a client for Elasticsearch. In go-elasticsearch the same
// are two fields of elasticsearch.Config, Transport and DisableRetry.
func Elastic(hc *http.Client, nodes []*url.URL, apiKey string) (*elastictransport.Client, error) {
	transport, err := client.NewTransport(hc.Transport)
	if err != nil {
		return nil, err
	}
	return elastictransport.NewClient(
		elastictransport.WithURLs(nodes...),
		elastictransport.WithAPIKey(apiKey),
		elastictransport.WithTransport(transport),
		elastictransport.WithDisableRetry(), // forbear retries
	)
}

func elasticSDK() SDK {
	return SDK{
		Name: "elastic-transport-go", Module: "github.com/elastic/elastic-transport-go/v8", Func: "Elastic", File: "elastic.go",
		Limits: "nothing but a 429 when a queue is full (`es_rejected_execution_exception`); here a bucket of 100, and 50 more a second",
		Source: "https://www.elastic.co/docs/troubleshoot/elasticsearch/rejected-requests",
		Own:    "3 retries of any method on 502, 503, 504 and network errors, at once unless `RetryBackoff` is set; none on a 429",
		Off:    "`WithDisableRetry()`, or `DisableRetry: true` in elasticsearch.Config",
		Note: "It takes a transport, not a client. With several nodes its own retries go to the next one, those of forbear to the " +
			"same: leave them on there, with `client.WithRetries(0)`. It is what go-elasticsearch is made of.",
		Calls:  3000,
		server: elasticServer, connect: connectElastic,
	}
}

func connectElastic(hc *http.Client, s Setup) (Call, error) {
	nodes := []*url.URL{{Scheme: "http", Host: "es.test"}}
	if s == Advised {
		es, err := Elastic(hc, nodes, token)
		return callElastic(es), err
	}
	hc, err := s.wrap(hc)
	if err != nil {
		return nil, err
	}
	es, err := elastictransport.NewClient(elastictransport.WithURLs(nodes...), elastictransport.WithAPIKey(token), elastictransport.WithTransport(hc.Transport))
	return callElastic(es), err
}

func callElastic(es *elastictransport.Client) Call {
	return func(ctx context.Context, i int) error {
		want := strconv.Itoa(i)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "/index/_doc/"+want, nil)
		if err != nil {
			return err
		}
		resp, err := es.Perform(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var got struct {
			ID string `json:"_id"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusOK || got.ID != want {
			return fmt.Errorf("%s was asked for, and %q came: %s, %w", want, got.ID, resp.Status, err)
		}
		return nil
	}
}

func elasticServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewBucket(100, 50, time.Second) },
		refuse: func(w http.ResponseWriter, _ time.Duration) {
			reply(w, http.StatusTooManyRequests, map[string]any{"status": 429, "error": map[string]string{"type": "es_rejected_execution_exception"}})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusOK, map[string]string{"_id": path.Base(r.URL.Path)})
		},
	}
}
