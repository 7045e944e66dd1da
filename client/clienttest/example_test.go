package clienttest_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
)

// The test of one's own code, here FetchAll, which gets fifty pages, eight at a time,
// from an API that allows twenty requests a minute. In virtual time it takes none.
func TestFetchAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(
			clienttest.Fixed(20, time.Minute), clienttest.Draft8(), clienttest.Handler(http.HandlerFunc(pages)))
		defer api.Close()
		hc, err := client.Wrap(api.Client())
		if err != nil {
			t.Fatal(err)
		}
		items, err := FetchAll(t.Context(), hc, api.URL)
		if err != nil || len(items) != 100 {
			t.Errorf("got %d items, error %v", len(items), err)
		}
		api.MustNotRefuse(t)
		api.MustAdmit(t, 50)
		api.MustNotLag(t, 10*time.Second) // behind the best that the limit allows
	})
}

// A program's own code, FetchAll, gets fifty pages, eight at a time. The API allows
// twenty requests a minute.
func ExampleNewServer() {
	api := clienttest.NewServer(
		clienttest.Rolling(20, time.Minute),
		clienttest.XRateLimit(),
		clienttest.Handler(http.HandlerFunc(pages)),
	)
	defer api.Close()

	// Without a client that waits, the first refusal is the end.
	_, err := FetchAll(context.Background(), api.Client(), api.URL)
	fmt.Println("failed:", err != nil, "refused:", api.Counts().Refused > 0)

	for _, r := range api.Requests()[:1] {
		fmt.Println(r.Method, r.URL, r.Admitted)
	}
	// Output:
	// failed: true refused: true
	// GET /items?page=1 true
}

// Two clients get the same pages, in virtual time: go-retryablehttp and forbear.
func ExampleNewInMemory() {
	retrying := func(hc *http.Client) (*http.Client, error) {
		c := retryablehttp.NewClient()
		c.HTTPClient, c.Logger, c.RetryMax = hc, nil, 10
		return c.StandardClient(), nil
	}
	forbearing := func(hc *http.Client) (*http.Client, error) { return client.Wrap(hc) }

	for _, c := range []struct {
		name string
		wrap func(*http.Client) (*http.Client, error)
	}{{"go-retryablehttp", retrying}, {"forbear", forbearing}} {
		inVirtualTime(func(ctx context.Context) {
			api := clienttest.NewInMemory(
				clienttest.Rolling(20, time.Minute), clienttest.Draft8(), clienttest.Handler(http.HandlerFunc(pages)))
			defer api.Close()
			hc, err := c.wrap(api.Client())
			if err != nil {
				fmt.Println(err)
				return
			}
			began := time.Now()
			items, err := FetchAll(ctx, hc, api.URL)
			fmt.Printf("%s: %d items, error %v, refused at all: %v, in %d minutes\n",
				c.name, len(items), err, api.Counts().Refused > 0, int(time.Since(began).Minutes()))
		})
	}
	// Output:
	// go-retryablehttp: 100 items, error <nil>, refused at all: true, in 2 minutes
	// forbear: 100 items, error <nil>, refused at all: false, in 2 minutes
}

// inVirtualTime is what synctest.Test is in a test: an example has no *testing.T. What -v and -count
// ask of tests is not asked of it.
func inVirtualTime(f func(ctx context.Context)) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	var once sync.Once
	test := func(t *testing.T) {
		silent := os.Stdout
		os.Stdout = stdout
		once.Do(func() { synctest.Test(t, func(t *testing.T) { f(t.Context()) }) })
		os.Stdout = silent
	}
	os.Stdout = nil
	testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "virtual", F: test}})
}
