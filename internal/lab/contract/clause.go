package contract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A Clause is something that a wrapper has to keep.
type Clause struct {
	// Name says it in words.
	Name string
	// Why is where it is said, or what becomes of a program otherwise.
	Why string
	// try returns how it was broken, or "" if it was kept.
	try func(s *scene) string
}

// A scene is where a clause is tried.
type scene struct {
	ctx  context.Context //nolint:containedctx // it lives as long as the scene
	wrap func(http.RoundTripper) (http.RoundTripper, error)
}

// Try returns how a wrapper breaks a clause, or "" if it keeps it. It must be called
// in a testing/synctest bubble.
func (c Clause) Try(ctx context.Context, wrap func(http.RoundTripper) (http.RoundTripper, error)) string {
	return c.try(&scene{ctx, wrap})
}

// play wraps a probe with a script.
func (s *scene) play(script ...answer) (*probe, http.RoundTripper) {
	p := &probe{script: script}
	rt, err := s.wrap(p)
	if err != nil {
		panic(err) // no settings that could be wrong
	}
	return p, rt
}

var (
	ok      = answer{status: http.StatusOK}
	refused = answer{http.StatusTooManyRequests, []string{"Retry-After", "2"}}
)

func refusedFor(wait string) answer {
	return answer{http.StatusTooManyRequests, []string{"Retry-After", wait}}
}

const roundTripper = "[http.RoundTripper](https://pkg.go.dev/net/http#RoundTripper)"

// Clauses returns all clauses.
func Clauses() []Clause {
	return append(append(bodies(), waits()...), retries()...)
}

func bodies() []Clause {
	return []Clause{
		{"The request is not changed", roundTripper, func(s *scene) string {
			p, rt := s.play(refused, ok)
			req := p.request(s.ctx, http.MethodPut)
			body, url, fields := req.Body, *req.URL, fmt.Sprint(req.Header)
			_, _ = call(rt, req)
			switch {
			case req.Body != body:
				return "its Body is replaced"
			case *req.URL != url || fmt.Sprint(req.Header) != fields:
				return "its URL or its header is changed"
			}
			return ""
		}},
		{"The caller's body is closed", roundTripper, func(s *scene) string {
			p, rt := s.play(refused, ok)
			_, _ = call(rt, p.request(s.ctx, http.MethodPut))
			return open(p.bodies, "request body")
		}},
		{"A response that nobody gets is closed", "an open one keeps its connection for good", func(s *scene) string {
			p, rt := s.play(refused, ok)
			_, _ = call(rt, p.request(s.ctx, http.MethodGet))
			return open(p.got, "response")
		}},
		{"A response that nobody gets is drained", "its connection cannot be used again otherwise", func(s *scene) string {
			p, rt := s.play(refused, ok)
			_, _ = call(rt, p.request(s.ctx, http.MethodGet))
			if !p.got[0].ended {
				return fmt.Sprintf("%d of %d bytes are read", p.got[0].read, len(refusalText))
			}
			return ""
		}},
		{"Each attempt has the whole body", "the API would take an empty one for what is meant", func(s *scene) string {
			p, rt := s.play(refused, ok)
			_, _ = call(rt, p.request(s.ctx, http.MethodPut))
			for i, text := range p.texts {
				if text != content {
					return fmt.Sprintf("attempt %d has %d of %d bytes", i+1, len(text), len(content))
				}
			}
			return ""
		}},
		{"A streamed body is not read ahead of the request", "an upload would be held in memory", func(s *scene) string {
			p, rt := s.play(ok)
			req := p.request(s.ctx, http.MethodPut)
			req.GetBody, req.ContentLength = nil, -1
			_, _ = call(rt, req)
			if p.early > 0 {
				return fmt.Sprintf("%d bytes are read before it is sent", p.early)
			}
			return ""
		}},
	}
}

func open(all []*watched, what string) string {
	n := 0
	for _, w := range all {
		if !w.closed {
			n++
		}
	}
	if n > 0 {
		return fmt.Sprintf("%s left open (%d of %d)", what, n, len(all))
	}
	return ""
}

func waits() []Clause {
	all := []Clause{ //nolint:prealloc // three more
		{"A wait beyond the deadline fails at once", "nothing is won by waiting for it", func(s *scene) string {
			ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
			defer cancel()
			p, rt := s.play(refusedFor("60"), ok)
			began := time.Now()
			status, _ := call(rt, p.request(ctx, http.MethodGet))
			if took := time.Since(began); took > tripTime && status == 0 {
				return "fails " + after(took)
			}
			return ""
		}},
		{"Nothing is handed on after the deadline", roundTripper, func(s *scene) string {
			ctx, cancel := context.WithTimeout(s.ctx, time.Second)
			defer cancel()
			p, rt := s.play(refused)
			deadline, _ := ctx.Deadline()
			_, _ = call(rt, p.request(ctx, http.MethodGet))
			late := 0
			for _, at := range p.sent {
				if !at.Before(deadline) {
					late++
				}
			}
			if late > 0 {
				return fmt.Sprintf("%d handed on", late)
			}
			return ""
		}},
		{"The error of a deadline is context.DeadlineExceeded", "callers look for it", func(s *scene) string {
			ctx, cancel := context.WithTimeout(s.ctx, time.Second)
			defer cancel()
			p, rt := s.play(refusedFor("60"), ok)
			if _, err := call(rt, p.request(ctx, http.MethodGet)); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return "another error"
			}
			return ""
		}},
		early("Retry-After in seconds is waited for", "[RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)", 30*time.Second,
			func(time.Time) string { return "30" }),
		early("Retry-After beyond what a time.Duration holds", "it overflows in 292 years", time.Hour,
			func(time.Time) string { return "9223372037" }),
	}
	for _, form := range []struct{ name, layout string }{
		{"IMF-fixdate", http.TimeFormat}, {"RFC 850", "Monday, 02-Jan-06 15:04:05 GMT"}, {"asctime", time.ANSIC},
	} {
		all = append(all, early("Retry-After as a date, "+form.name, "[RFC 9110, 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)", 30*time.Second,
			func(at time.Time) string { return at.UTC().Format(form.layout) }))
	}
	return all
}

// early makes the clause that no attempt comes before the time that was asked for. A
// caller who gets the refusal, or an error, is as good.
func early(name, why string, wait time.Duration, value func(time.Time) string) Clause {
	return Clause{name, why, func(s *scene) string {
		ctx, cancel := context.WithTimeout(s.ctx, 24*time.Hour)
		defer cancel()
		began := time.Now()
		p, rt := s.play(refusedFor(value(began.Add(wait))), ok)
		_, _ = call(rt, p.request(ctx, http.MethodGet))
		for _, at := range p.sent[1:] {
			if d := at.Sub(began); d < wait {
				return "sent again " + after(d)
			}
		}
		return ""
	}}
}

// after says when something happened, without the jitter.
func after(d time.Duration) string {
	if d < 100*time.Millisecond {
		return "at once"
	}
	return fmt.Sprintf("after %v", d.Round(time.Second))
}

func retries() []Clause {
	return []Clause{
		{"A POST is not repeated on a 500", "[RFC 9110, 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)", func(s *scene) string {
			p, rt := s.play(answer{status: http.StatusInternalServerError}, ok)
			_, _ = call(rt, p.request(s.ctx, http.MethodPost))
			return repeated(p)
		}},
		{"A response is not an error, whatever its status", roundTripper, func(s *scene) string {
			p, rt := s.play(answer{status: http.StatusServiceUnavailable})
			if _, err := call(rt, p.request(s.ctx, http.MethodGet)); err != nil {
				return "the caller gets an error"
			}
			return ""
		}},
		{"A redirect is left to the client", roundTripper, func(s *scene) string {
			p, rt := s.play(answer{http.StatusTemporaryRedirect, []string{"Location", "/other"}}, ok)
			_, _ = call(rt, p.request(s.ctx, http.MethodGet))
			return repeated(p)
		}},
		{"The connections of others stay open", "one caller that gives up would cost everybody's", func(s *scene) string {
			p, rt := s.play(answer{status: http.StatusServiceUnavailable})
			_, _ = call(rt, p.request(s.ctx, http.MethodGet))
			if p.idled {
				return "closes all idle connections"
			}
			return ""
		}},
		{"The body of a request that was cancelled before is closed", roundTripper, func(s *scene) string {
			ctx, cancel := context.WithCancel(s.ctx)
			cancel()
			p, rt := s.play(ok)
			_, _ = call(rt, p.request(ctx, http.MethodPut))
			return open(p.bodies, "request body")
		}},
	}
}

func repeated(p *probe) string {
	if len(p.sent) > 1 {
		return "sent again"
	}
	return ""
}
