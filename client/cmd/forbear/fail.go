package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/client"
)

// fail answers a request that was not sent, or not answered, in words that every
// language knows: a status, and how many seconds to stay away. If the API itself said
// that its limit is used up, fail repeats it.
func (g *gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadGateway
	switch {
	case errors.Is(err, context.Canceled): // the caller has gone, or at least sends nothing more
	case errors.Is(err, client.ErrMaxWait):
		status = http.StatusTooManyRequests
	case errors.Is(err, client.ErrFull), errors.Is(err, client.ErrClosed), errors.Is(err, client.ErrCircuitOpen):
		status = http.StatusServiceUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusGatewayTimeout
	default:
		g.log.Warn("no answer", "host", r.URL.Host, "error", err)
	}
	text := http.StatusText(status) + "\n"
	if e, ok := errors.AsType[*client.Error](err); ok {
		if status == http.StatusTooManyRequests && e.Status >= http.StatusBadRequest && e.Header != nil {
			status = e.Status
			text = repeat(w.Header(), e, text)
		}
		if !e.Until.IsZero() {
			w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(time.Until(e.Until).Seconds())))))
		}
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// repeat copies the header of the server's last refusal, and returns its body, or the
// other text if the body is not known as a whole. The caller may know the errors of the
// API better than those of a proxy.
func repeat(to http.Header, e *client.Error, other string) string {
	maps.Copy(to, e.Header)
	for _, name := range stale {
		to.Del(name)
	}
	if e.Body != "" && len(e.Body) < mostErrorBody {
		return e.Body
	}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language"} {
		to.Del(name)
	}
	return other
}

// mostErrorBody is how much of a body a [client.Error] has at the most.
const mostErrorBody = 4 << 10

// stale are the fields of an earlier response that are not true of this one.
var stale = []string{"Date", "Age", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "Upgrade", "Etag", "Expires"}
