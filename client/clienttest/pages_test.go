package clienttest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
)

// FetchAll is the code under test: it gets all pages of a list, eight at a time.
func FetchAll(ctx context.Context, hc *http.Client, url string) ([]string, error) {
	first, err := fetch(ctx, hc, url, 1)
	if err != nil {
		return nil, err
	}
	pages := make([][]string, first.Pages)
	errs := make([]error, first.Pages)
	pages[0] = first.Items
	var fetched sync.WaitGroup
	free := make(chan struct{}, 8)
	for n := 2; n <= first.Pages; n++ {
		fetched.Go(func() {
			free <- struct{}{}
			p, err := fetch(ctx, hc, url, n)
			pages[n-1], errs[n-1] = p.Items, err
			<-free
		})
	}
	fetched.Wait()
	var all []string
	for i := range pages {
		if errs[i] != nil {
			return nil, errs[i]
		}
		all = append(all, pages[i]...)
	}
	return all, nil
}

type page struct {
	Pages int
	Items []string
}

func fetch(ctx context.Context, hc *http.Client, url string, n int) (p page, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/items?page=%d", url, n), nil)
	if err != nil {
		return page{}, err
	}
	resp, err := hc.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return page{}, fmt.Errorf("page %d: %s", n, resp.Status)
	}
	return p, json.NewDecoder(resp.Body).Decode(&p)
}

// pages plays the API: fifty pages of two items.
func pages(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	_ = json.NewEncoder(w).Encode(page{50, []string{fmt.Sprint(2*n - 1), fmt.Sprint(2 * n)}})
}
