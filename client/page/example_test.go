package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/page"
)

func withPage(mux *http.ServeMux) (*http.Client, error) {
	var p page.Page
	transport, err := client.NewTransport(nil, client.WithObserver(p.Observe))
	if err != nil {
		return nil, err
	}
	mux.Handle("/limits", p.Handler(transport)) // for those who may see it
	return &http.Client{Transport: transport}, nil
}

func Example() {
	mux := http.NewServeMux()
	hc, err := withPage(mux)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = hc // send requests with it

	r := httptest.NewRequest(http.MethodGet, "/limits", nil)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
