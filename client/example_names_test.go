package client_test

import (
	"fmt"
	"net/http"

	"github.com/forbear-go/forbear/client"
)

// Name the keys of a service whose requests say which tenant they are for, so that
// events, the page and metrics show these names.
func ExampleWithKeyNames() {
	api := tells()
	defer api.Close()
	rt, err := client.NewTransport(nil, client.WithKeyNames(func(r *http.Request) string {
		return "tenant " + r.Header.Get("X-Tenant")
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequest(http.MethodGet, api.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("X-Tenant", "7")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	for _, s := range rt.Snapshot() {
		fmt.Println(s.Name, s.Windows[0].Credit)
	}
	// Output: tenant 7 99
}
