// Monitor watches how a program uses an API: requests a minute, what is left of the
// limit and when it would be spent, a level that turns to WARNING at 25 % and to
// CRITICAL at 10 %, and a row of CSV for each response. The API is built in.
//
//	go run ./examples/monitor
//	go run ./examples/monitor -csv usage.csv
//
// It ends with status 1 if a request failed, or if the API had to refuse one.
package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/observe"
	"github.com/forbear-go/forbear/internal/apiserver"
)

func main() {
	name := flag.String("csv", os.DevNull, "`file` that gets a row for each response")
	flag.Parse()
	file, err := os.Create(*name)
	if err == nil {
		err = errors.Join(run(context.Background(), os.Stdout, file), file.Close())
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A minute of the API is this short, so that one can watch three of them. Tests are in
// more of a hurry.
var minute = time.Minute / 15

func run(ctx context.Context, out, file io.Writer) error {
	api, err := apiserver.NewPullbay(apiserver.Starter, float64(time.Minute/minute))
	if err != nil {
		return err
	}
	server := httptest.NewServer(api)
	defer server.Close()

	usage := &tracker{rows: csv.NewWriter(file)}
	usage.write("timestamp", "endpoint", "status", "remaining", "limit", "reset_time", "credits_used")
	warn, err := observe.Warn(usage.warn, 0.25, 0.10)
	if err != nil {
		return err
	}
	hc, err := client.New(client.WithObserver(usage.observe), client.WithObserver(warn))
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "%d requests a minute are allowed; a minute lasts %v here.\n\n"+
		"requests/min   left   spent in   level\n", api.Plan(""), minute)
	ctx, stop := context.WithTimeout(ctx, 3*minute)
	defer stop()
	var callers sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		callers.Go(func() { errs[i] = load(ctx, hc, server.URL, usage) })
	}
	for tick := time.Tick(minute / 8); ctx.Err() == nil; <-tick {
		fmt.Fprintln(out, usage.line(time.Now()))
	}
	callers.Wait()

	sent := api.Counts()
	fmt.Fprintf(out, "\n%d requests, %d refused, %d credits.\n", sent.Requests, sent.Refused, api.Credits(""))
	if sent.Refused > 0 {
		return fmt.Errorf("the API refused %d requests", sent.Refused)
	}
	usage.rows.Flush()
	return errors.Join(errors.Join(errs...), usage.rows.Error())
}

// load asks for reviews until the time is up, most often in the second minute.
func load(ctx context.Context, hc *http.Client, url string, usage *tracker) error {
	for began := time.Now(); ctx.Err() == nil; {
		err := fetch(ctx, hc, url, usage)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) { // also one that is too close
			return err
		}
		pause := minute / 3
		if t := time.Since(began); t > minute && t < 2*minute {
			pause = minute / 16
		}
		time.Sleep(pause)
	}
	return nil
}

// fetch gets a page of reviews. The context of the request carries the row of the log
// that belongs to it: the tracker fills it in, and only the body tells the credits.
func fetch(ctx context.Context, hc *http.Client, url string, usage *tracker) error {
	row := new([]string)
	req, err := http.NewRequestWithContext(context.WithValue(ctx, rowKey{}, row), http.MethodGet,
		url+"/v1/app-store/reviews/all?app_id=com.example.app&limit=10", nil)
	if err != nil {
		return err
	}
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var page struct {
		Meta struct {
			Credits int `json:"credits_used"`
		} `json:"meta"`
	}
	err = json.NewDecoder(resp.Body).Decode(&page)
	usage.write(append(*row, strconv.Itoa(page.Meta.Credits))...)
	return err
}
