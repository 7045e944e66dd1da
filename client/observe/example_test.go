package observe_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/observe"
)

// limited is an API that allows ten requests an hour.
func limited() *httptest.Server {
	left := 10
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		left--
		w.Header().Set("X-RateLimit-Limit", "10")
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(left))
		w.Header().Set("X-RateLimit-Reset", "3600")
	}))
}

func fetch(hc *http.Client, url string) {
	resp, err := hc.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
}

func ExampleLog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.LevelKey, slog.MessageKey, "method", "status", "limit", "left":
				return a
			}
			return slog.Attr{} // what differs from run to run
		},
	}))
	hc, err := client.New(client.WithObserver(observe.Log(logger)))
	if err != nil {
		fmt.Println(err)
		return
	}
	api := limited()
	defer api.Close()
	fetch(hc, api.URL)
	// Output:
	// level=INFO msg="forbear: learn" method=GET status=200 limits.default.limit=10 limits.default.left=9
}

func ExampleRecorder() {
	recorder := observe.NewRecorder(1000)
	hc, err := client.New(client.WithObserver(recorder.Record))
	if err != nil {
		fmt.Println(err)
		return
	}
	api := limited()
	defer api.Close()
	fetch(hc, api.URL)
	fetch(hc, api.URL)
	for _, e := range recorder.Events() {
		fmt.Println(e.Kind, e.Status)
	}
	fmt.Println(recorder.Count(client.EventRefuse), "refused")
	// Output:
	// admit 0
	// answer 200
	// learn 200
	// admit 0
	// answer 200
	// 0 refused
}

func ExampleWarn() {
	names := []string{"OK", "WARNING", "CRITICAL"}
	warn, err := observe.Warn(func(l observe.Level) {
		fmt.Printf("%s: %d of %d left\n", names[l.Below], l.Limit.Credit, l.Limit.Limit)
	}, 0.25, 0.1)
	if err != nil {
		fmt.Println(err)
		return
	}
	hc, err := client.New(client.WithObserver(warn), client.WithPacing(client.Burst))
	if err != nil {
		fmt.Println(err)
		return
	}
	api := limited()
	defer api.Close()
	for range 10 {
		fetch(hc, api.URL)
	}
	// Output:
	// WARNING: 2 of 10 left
	// CRITICAL: 0 of 10 left
}
