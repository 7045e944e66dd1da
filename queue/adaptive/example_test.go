package adaptive_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue/adaptive"
)

// Send a host no more requests at a time than it answers without slowing down.
func ExampleWithConcurrency() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	defer api.Close()
	hc, err := client.New(client.WithQueue(adaptive.WithConcurrency(adaptive.Config{})))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}
