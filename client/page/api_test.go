package page_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// An api is a server that announces a limit on requests in each window of the clock.
type api struct {
	mu     sync.Mutex
	limit  int
	length time.Duration
	window int64
	used   int
	turned int    // away
	name   string // of the limit; empty if it has none
}

func (a *api) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if w := now.UnixNano() / int64(a.length); w != a.window {
		a.window, a.used = w, 0
	}
	opens := time.Unix(0, (a.window+1)*int64(a.length)).Sub(now)
	status := http.StatusOK
	if a.used++; a.used > a.limit {
		status = http.StatusTooManyRequests
		a.turned++
	}
	h := http.Header{}
	if a.name != "" {
		h.Set("RateLimit-Policy", fmt.Sprintf(`%q;q=%d;w=%d`, a.name, a.limit, int(a.length.Seconds())))
		h.Set("RateLimit", fmt.Sprintf(`%q;r=%d;t=%d`, a.name, max(a.limit-a.used, 0), int(opens.Seconds()+0.999)))
	} else {
		h.Set("X-RateLimit-Limit", strconv.Itoa(a.limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(max(a.limit-a.used, 0)))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(int64(opens.Seconds()+0.999), 10))
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: http.NoBody, Request: req}, nil
}

// refusals returns how many requests were refused.
func (a *api) refusals() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.turned
}

// spend spends quota as other clients would.
func (a *api) spend(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used += n
}
