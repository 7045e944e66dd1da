// Pullbay fetches thousands of reviews from an API that counts two things apart:
// requests a minute, by plan, and credits, some for each page. When the credits of the
// Free plan do not suffice it upgrades, and goes on. The API is built in.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
	"golang.org/x/sync/errgroup"
)

const (
	key        = "Bearer test_abc123xyz789"
	endpoint   = "/v1/app-store/reviews/all"
	pageCosts  = 5         // credits: one for each hundred reviews
	free, paid = 125, 1000 // credits a day, by plan
)

func main() {
	api, err := apiserver.NewPullbay(apiserver.Free, 15)
	if err == nil {
		server := httptest.NewServer(api)
		fmt.Println("Reviews, 500 a page, from an API whose clock runs 15 times as fast.")
		err = (&fetcher{api: api, url: server.URL, apps: 15}).run(context.Background(), os.Stdout)
		server.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pullbay:", err)
		os.Exit(1)
	}
}

// A fetcher fetches all reviews of some apps.
type fetcher struct {
	api     *apiserver.Pullbay // in place of the dashboard: to upgrade, and to see the bill
	url     string
	base    http.RoundTripper // nil is http.DefaultTransport
	apps    int
	client  *http.Client
	upgrade func() error // the plan, once
	bar     *pb.ProgressBar
	credits atomic.Int64 // used
}

// run fetches all. It fails if a review is missing, a credit is, or the API refused once.
func (f *fetcher) run(ctx context.Context, out io.Writer) error {
	// How many requests a plan allows is in every response: nothing to set up. How many
	// credits it has is in none, so they are a rule.
	transport, err := client.NewTransport(f.base, client.WithRule(queue.Rule{
		Name: "credits", Pattern: "GET " + endpoint, Limits: []queue.Quota{credits(free)},
	}))
	if err != nil {
		return err
	}
	f.client = &http.Client{Transport: transport}
	f.upgrade = sync.OnceValue(func() error { // the new limit will be in the next response, the new credits will not
		return errors.Join(f.api.SetPlan(key, apiserver.Starter), transport.Queue().SetLimits("credits", credits(paid)))
	})
	f.bar = pb.ProgressBarTemplate(`{{counters .}} {{bar .}} {{percent .}}  {{string . "plan"}}`).New(0).SetWriter(out)
	if !f.bar.GetBool(pb.Terminal) { // a queue every second in place of one that changes
		f.bar.Set(pb.ReturnSymbol, "\n").SetRefreshRate(time.Second).SetWidth(80)
	}
	f.bar.Start()
	group, ctx := errgroup.WithContext(ctx)
	for i := range f.apps {
		group.Go(func() error { return f.fetch(ctx, fmt.Sprintf("com.example.app%d", i)) })
	}
	err = group.Wait()
	took, sent, used := time.Since(f.bar.Finish().StartTime()), f.api.Counts(), int(f.credits.Load())
	fmt.Fprintf(out, "\n%d reviews in %.1f s: %d requests, %d refused, %d credits.\n",
		f.bar.Current(), took.Seconds(), sent.Requests, sent.Refused, used)
	if charged := f.api.Credits(key); err == nil && (sent.Refused > 0 || used != charged) {
		err = fmt.Errorf("%d requests refused, %d credits charged", sent.Refused, charged)
	}
	return err
}

// credits is how many a plan has a day.
func credits(n int) queue.Quota { return queue.PerDay(n).Of("credits").Named("credits") }

// fetch gets the reviews of an app, newest first: the first has the highest number.
func (f *fetcher) fetch(ctx context.Context, app string) error {
	for cursor, next, upgraded := "", 0, false; ; {
		p, err := f.page(ctx, app, cursor)
		if limited, ok := errors.AsType[*client.Error](err); ok && limited.Limit == "credits" && !upgraded {
			if upgraded, err = true, f.upgrade(); err == nil {
				continue // with the same page
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", app, err)
		}
		if cursor == "" {
			next = p.Meta.Total
			f.bar.AddTotal(int64(next))
		}
		if len(p.Data) == 0 || p.Data[0].ID != next {
			return fmt.Errorf("%s: the page after %q does not begin with review %d", app, cursor, next)
		}
		next -= len(p.Data)
		f.bar.Add(len(p.Data))
		f.credits.Add(p.Meta.CreditsUsed)
		if cursor = p.Meta.NextCursor; cursor == "" {
			return nil
		}
	}
}

type page struct {
	Data []struct {
		ID int `json:"id"`
	} `json:"data"`
	Meta struct {
		Total       int    `json:"total"`
		CreditsUsed int64  `json:"credits_used"`
		NextCursor  string `json:"next_cursor"`
	} `json:"meta"`
}

// page gets one page. Of limits it knows nothing, only what the page costs.
func (f *fetcher) page(ctx context.Context, app, cursor string) (p page, err error) {
	query := url.Values{"app_id": {app}, "cursor": {cursor}, "limit": {"500"}}
	ctx = client.WithUnits(ctx, cost.Units{"credits": pageCosts})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+endpoint+"?"+query.Encode(), nil)
	if err != nil {
		return p, err
	}
	req.Header.Set("Authorization", key)
	resp, err := f.client.Do(req)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return p, errors.New(resp.Status)
	}
	f.bar.Set("plan", resp.Header.Get("X-RateLimit-Limit")+" a minute")
	return p, json.NewDecoder(resp.Body).Decode(&p)
}
