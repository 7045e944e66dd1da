// Monitor watches how a program uses an API: requests a minute, what is left of the
// limit and how long it lasts, a level that turns to WARNING at 25 % and to CRITICAL
// at 10 %, and a row of CSV for each response. The API is built in.
//
//	go run ./examples/monitor -csv usage.csv
package main

import (
	"bytes"
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
	"slices"
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
		err = errors.Join(run(os.Stdout, file, 4*time.Second), file.Close())
	}
	if err != nil {
		log.Fatal(err)
	}
}

// run watches three minutes of an API, each of which is as short as one likes.
func run(out, file io.Writer, minute time.Duration) error {
	api, err := apiserver.NewPullbay(apiserver.Starter, float64(time.Minute)/float64(minute))
	if err != nil {
		return err
	}
	server := httptest.NewServer(api)
	defer server.Close()
	m := &monitor{minute: minute, rows: csv.NewWriter(file)}
	m.write("timestamp", "endpoint", "status", "remaining", "limit", "reset_time", "credits_used")
	warn, err := observe.Warn(m.warn, 0.25, 0.10)
	if err != nil {
		return err
	}
	hc, err := client.Wrap(&http.Client{Transport: m}, client.WithObserver(m.observe), client.WithObserver(warn))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d requests a minute are allowed; a minute lasts %v here.\n\n"+
		"requests/min   left   spent in   level\n", api.Plan(""), minute)
	var callers sync.WaitGroup
	errs, pauses := make([]error, 8), []time.Duration{minute / 3, minute / 16, minute / 3}
	for i := range errs {
		callers.Go(func() {
			for began := time.Now(); errs[i] == nil && time.Since(began) < 3*minute; {
				resp, err := hc.Get(server.URL + "/v1/app-store/reviews/all?app_id=com.example.app&limit=10") //nolint:noctx // it runs for seconds
				if errs[i] = err; err == nil {
					resp.Body.Close()
				}
				time.Sleep(pauses[min(2, time.Since(began)/minute)]) // the second minute is a busy one
			}
		})
	}
	for range 24 {
		time.Sleep(minute / 8)
		fmt.Fprintln(out, m.line(time.Now()))
	}
	callers.Wait()
	sent := api.Counts()
	fmt.Fprintf(out, "\n%d requests, %d refused, %d credits.\n", sent.Requests, sent.Refused, api.Credits(""))
	if m.rows.Flush(); sent.Refused > 0 {
		return fmt.Errorf("the API refused %d requests", sent.Refused)
	}
	return errors.Join(errors.Join(errs...), m.rows.Error())
}

// A monitor knows how an API is used. It is a transport, below the client, and so sees
// every response: also those that the client keeps to itself, to try again.
type monitor struct {
	minute      time.Duration
	mu          sync.Mutex  // guards what follows
	sent        []time.Time // the requests of the last minute
	left, level int         // of the limit
	rows        *csv.Writer
}

// RoundTrip writes a row of the log. What a page cost, only its body tells.
func (m *monitor) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var page struct {
		Meta struct {
			Credits int `json:"credits_used"`
		} `json:"meta"`
	}
	_ = json.Unmarshal(body, &page) // a refusal costs nothing
	m.write(time.Now().Format(time.RFC3339Nano), req.URL.Path, strconv.Itoa(resp.StatusCode), resp.Header.Get("X-RateLimit-Remaining"),
		resp.Header.Get("X-RateLimit-Limit"), resp.Header.Get("X-RateLimit-Reset"), strconv.Itoa(page.Meta.Credits))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

func (m *monitor) write(columns ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.rows.Write(columns) // its Error tells
}

// observe sees each decision of the client.
func (m *monitor) observe(e client.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Kind == client.EventAdmit {
		m.sent = append(m.sent, e.Time)
	}
	if len(e.Limits) > 0 {
		m.left = e.Limits[0].Credit
	}
}

func (m *monitor) warn(l observe.Level) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.level = l.Below
}

// line tells of the last minute.
func (m *monitor) line(now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = slices.DeleteFunc(m.sent, func(at time.Time) bool { return now.Sub(at) > m.minute })
	spent := m.minute.Seconds() * float64(m.left) / max(1, float64(len(m.sent)))
	return fmt.Sprintf("%12d %6d %8.1f s   %s", len(m.sent), m.left, spent, [...]string{"OK", "WARNING", "CRITICAL"}[m.level])
}
