package cost

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// TestMain says when and with what the benchmarks ran, in the form of their output.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		fmt.Printf("date: %s\ngo: %s\ncpus: %d\n", time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOMAXPROCS(0))
	}
	os.Exit(m.Run())
}

// A noop answers every request at once, with the headers of a limit that is far away.
type noop struct{ fields http.Header }

func newNoop() noop {
	return noop{http.Header{
		"Content-Type":          {"application/json"},
		"Date":                  {time.Now().UTC().Format(http.TimeFormat)},
		"X-Ratelimit-Limit":     {"1000000000"},
		"X-Ratelimit-Remaining": {"999999999"},
		"X-Ratelimit-Reset":     {strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)},
	}}
}

func (t noop) RoundTrip(req *http.Request) (*http.Response, error) {
	h := make(http.Header, len(t.fields)+1)
	maps.Copy(h, t.fields)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: http.NoBody, Request: req,
	}, nil
}

// refusing answers every request 429, to be tried again in ten minutes.
type refusing struct{}

func (refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "429 Too Many Requests", StatusCode: http.StatusTooManyRequests, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Retry-After": {"600"}}, Body: http.NoBody, Request: req,
	}, nil
}

// plain is no wrapper at all.
const plain = "no wrapper"

// wrapped lists the clients whose cost is compared, over a base. The recipes of the
// guides are left out: they were not made to be fast.
func wrapped(tb testing.TB, base http.RoundTripper) []named {
	all := []named{{plain, base}}
	for _, c := range peer.All() {
		if c.Module == "" && c.Name != peer.Forbear || c.Name == "x/time/rate, burst = limit" {
			continue
		}
		rt, err := c.New(peer.Setting{Base: base, Rate: peer.Rate{Limit: 1e9, Per: time.Second}})
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, named{c.Name, rt})
	}
	return all
}

type named struct {
	name string
	http.RoundTripper
}

// newSilent answers every request at once, and says nothing of limits.
func newSilent() noop { return noop{http.Header{"Content-Type": {"application/json"}}} }

func newRequest(tb testing.TB, url, key string) *http.Request {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	return req
}

// memory returns what the heap and the stacks hold, after a collection.
func memory() uint64 {
	runtime.GC()
	runtime.GC() // pools give up what they hold at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// wait blocks until n goroutines or more wait, and nobody else has anything to do.
// One that waits for a lock would be counted too, but then its holder has.
func wait(n int) {
	samples := []metrics.Sample{
		{Name: "/sched/goroutines/waiting:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/goroutines/running:goroutines"},
	}
	for quiet := 0; quiet < 5; {
		time.Sleep(time.Millisecond)
		metrics.Read(samples)
		if samples[0].Value.Uint64() >= uint64(n) && samples[1].Value.Uint64() == 0 && samples[2].Value.Uint64() <= 1 {
			quiet++
		} else {
			quiet = 0
		}
	}
}
