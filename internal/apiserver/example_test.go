package apiserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// noon makes the output repeatable.
func noon() time.Time { return time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC) }

func show(h http.Handler, r *http.Request, names ...string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code)
	for _, name := range names {
		fmt.Printf("%s: %s\n", name, w.Header().Get(name))
	}
}

func ExampleNew() {
	api, err := apiserver.New(apiserver.Config{
		Now: noon,
		Rules: []apiserver.Rule{{
			Model:   func(string) ratemodel.Model { return ratemodel.NewSlidingLog(1, time.Minute) },
			Dialect: apiserver.Dialect{Fields: apiserver.Structured, RetryAfter: apiserver.Seconds},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("GET", "/", nil)
	show(api, r, "RateLimit", "RateLimit-Policy")
	show(api, r, "RateLimit", "Retry-After")
	// Output:
	// 200
	// RateLimit: "default";r=0;t=60
	// RateLimit-Policy: "default";q=1;w=60
	// 429
	// RateLimit: "default";r=0;t=60
	// Retry-After: 60
}

func ExampleNewBindbee() {
	api, err := apiserver.NewBindbee(1, func(c *apiserver.Config) { c.Now = noon })
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("GET", "/employees", nil)
	r.Header.Set("X-Connector-Token", "one")
	show(api, r, "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
	// Output:
	// 200
	// X-RateLimit-Limit: 200
	// X-RateLimit-Remaining: 199
	// X-RateLimit-Reset: 1709208060
}

func ExampleNewBundleport() {
	api, err := apiserver.NewBundleport(apiserver.BundleportLimits{Hour: 30_000}, 1,
		func(c *apiserver.Config) { c.Now = noon }, apiserver.KongGeneric)
	if err != nil {
		fmt.Println(err)
		return
	}
	show(api, httptest.NewRequest("GET", "/", nil), "X-RateLimit-Limit", "X-RateLimit-Limit-Hour", "X-RateLimit-Reset-Day")
	// Output:
	// 200
	// X-RateLimit-Limit: 600
	// X-RateLimit-Limit-Hour: 30000
	// X-RateLimit-Reset-Day: 1709251200
}

func ExampleNewPullbay() {
	api, err := apiserver.NewPullbay(apiserver.Free, 1, func(c *apiserver.Config) { c.Now = noon })
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("GET", "/v1/app-store/reviews/all?app_id=com.example.app", nil)
	r.Header.Set("Authorization", "Bearer key")
	show(api, r, "X-RateLimit-Limit")
	if err := api.SetPlan("Bearer key", apiserver.Growth); err != nil {
		fmt.Println(err)
	}
	show(api, r, "X-RateLimit-Limit")
	fmt.Println("credits:", api.Credits("Bearer key"))
	// Output:
	// 200
	// X-RateLimit-Limit: 10
	// 200
	// X-RateLimit-Limit: 300
	// credits: 2
}

func ExampleNewBCB() {
	api, err := apiserver.NewBCB(1, func(c *apiserver.Config) { c.Now = noon })
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("POST", "/v1/virtual-accounts", nil)
	show(api, r)
	show(api, r, "Retry-After")
	// Output:
	// 201
	// 429
	// Retry-After: 2
}
