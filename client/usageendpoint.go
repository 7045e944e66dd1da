package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/forbear-go/forbear/client/internal/credentials"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// WithUsageEndpoint sets a URL at which an API reports what is left, such as
// https://api.github.com/rate_limit. Before it sends the first request of each key to that
// host, the client reads the URL with a GET request that has the same header fields and query
// credentials, so that it knows the limits from the start. As with [WithMemory], what it
// reads counts until the first response. If the client cannot read the URL within three
// seconds, it starts as without the option. A request with [NoWait] does not wait for it.
func WithUsageEndpoint(rawURL string) Option {
	return func(s *settings) error {
		u, err := url.Parse(rawURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("client: WithUsageEndpoint: the URL must have a scheme and a host, got %q", redact(rawURL))
		}
		s.usageEndpoint = u
		return nil
	}
}

// redact returns a text without what may be a credential in a URL.
func redact(rawURL string) string {
	rawURL, _, _ = strings.Cut(rawURL, "?")
	if i := strings.LastIndexByte(rawURL, '@'); i >= 0 {
		return rawURL[i+1:]
	}
	return rawURL
}

const (
	usageTimeout = 3 * time.Second
	maxUsageBody = 256 << 10
)

// readUsage reads the usage endpoint, if req is the first request of its key. Others
// of the key wait for that.
func (t *Transport) readUsage(ctx context.Context, req *http.Request, who *principal, noWait bool) {
	if !strings.EqualFold(req.URL.Host, t.usageEndpoint.Host) || noWait {
		return
	}
	var read chan struct{}
	first := false
	t.update(who.key, func(l *keyState, _ time.Time) {
		if l.usageRead == nil {
			l.usageRead, first = make(chan struct{}), true
		}
		read = l.usageRead
	})
	if first {
		ask := t.usageRequest(req)
		go func() {
			defer close(read)
			t.restoreUsage(ask, who)
		}()
	}
	select {
	case <-read:
	case <-ctx.Done(): // the request finds out by itself
	case <-t.closed.Done():
	}
}

// usageRequest returns a request to the usage endpoint for whoever sends req.
func (t *Transport) usageRequest(req *http.Request) *http.Request {
	u := *t.usageEndpoint
	u.User = req.URL.User
	query := u.Query()
	for name, values := range req.URL.Query() {
		if credentials.InParameter(name) {
			query[name] = values
		}
	}
	u.RawQuery = query.Encode()
	ask := &http.Request{Method: http.MethodGet, URL: &u, Host: req.Host, Header: make(http.Header), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	for name, values := range req.Header {
		switch {
		case strings.HasPrefix(name, "Content-"), strings.HasPrefix(name, "If-"), name == "Range", name == "Expect",
			name == "Transfer-Encoding", name == "Trailer", name == "Te", name == "Upgrade", name == "Connection":
			continue // of its body, or of what it asks for
		}
		ask.Header[name] = values
	}
	ask.Header.Del("Accept-Encoding") // so that the base transport decompresses
	return ask.WithContext(context.WithoutCancel(req.Context()))
}

// restoreUsage sends a request to the usage endpoint and starts with what it says. A base
// transport that panics is the caller's next request's to find.
func (t *Transport) restoreUsage(ask *http.Request, who *principal) {
	defer func() { _ = recover() }()
	ctx, cancel := context.WithTimeout(ask.Context(), usageTimeout)
	defer cancel()
	defer context.AfterFunc(t.closed, cancel)()
	sent := time.Now()
	resp, err := t.base.RoundTrip(ask.WithContext(ctx))
	if err != nil {
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxUsageBody))
	if err != nil || resp.StatusCode != http.StatusOK {
		return
	}
	t.update(who.key, func(l *keyState, now time.Time) {
		lesson := lessonOf(l.policy, resp.Header, body, sent, now)
		if !lesson.IsZero() {
			_ = l.whole.Restore(now, lesson) // what is impossible is ignored
		}
	})
}

// lessonOf returns what the response of a usage endpoint says.
func lessonOf(policy throttle.Policy, h http.Header, body []byte, sent, received time.Time) throttle.Lesson {
	var r header.Reading
	r.Read(http.StatusOK, h, nil, received)
	if len(r.Windows) == 0 {
		fields := make(http.Header)
		if date := h.Get("Date"); date != "" {
			fields.Set("Date", date)
		}
		addUsage(fields, body, 0)
		r.Read(http.StatusOK, fields, nil, received)
	}
	k, err := throttle.New(policy, sent)
	if err != nil || r.Stale {
		return throttle.Lesson{}
	}
	k.Observe(received, k.Take(sent, 1), &r)
	return k.Lesson(received)
}

// addUsage turns the limits that a JSON body tells of into the header fields that other
// responses would have: an object with what remains is a limit, one of several such objects
// has them all, and of the resources of GitHub the core ones count, which most requests
// spend.
func addUsage(h http.Header, body []byte, depth int) {
	var fields map[string]json.RawMessage
	if depth > 4 || json.Unmarshal(body, &fields) != nil {
		return
	}
	if usageFields(h, fields, "") {
		return
	}
	for _, name := range [...]string{"core", "resources", "rate", "data", "rate_limit", "rateLimit", "rate_limits", "limits", "usage", "quota"} {
		if inner, ok := fields[name]; ok {
			before := len(h)
			if addUsage(h, inner, depth+1); len(h) > before {
				return
			}
		}
	}
	for name, text := range fields {
		var inner map[string]json.RawMessage
		if len(h) < 32 && plainName(name) && json.Unmarshal(text, &inner) == nil {
			usageFields(h, inner, "-"+name)
		}
	}
}

// usageFields adds the fields of one limit. It reports whether they are of one.
func usageFields(h http.Header, fields map[string]json.RawMessage, suffix string) bool {
	if _, ok := fields["remaining"]; !ok {
		return false
	}
	for _, f := range [...]struct{ name, as string }{
		{"limit", "Limit"}, {"remaining", "Remaining"}, {"used", "Used"},
		{"resets_at", "Reset"}, {"resetAt", "Reset"}, {"reset_at", "Reset"}, {"reset", "Reset"}, // the last one counts
	} {
		text := strings.Trim(strings.TrimSpace(string(fields[f.name])), `"`)
		if text != "" && text != "null" && len(text) < 64 && !strings.ContainsAny(text, "{}[]\\") {
			h.Set("X-RateLimit-"+f.as+suffix, text)
		}
	}
	return true
}

// plainName reports whether a name can stand in that of a header field.
func plainName(name string) bool {
	return name != "" && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}
