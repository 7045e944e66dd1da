package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
)

// A roundTripper is a transport made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The probe sees each clause broken by a transport that breaks it.
func TestProbeSeesBrokenClauses(t *testing.T) {
	twice := func(afterFirst func(*http.Response)) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			first, err := wire{}.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			afterFirst(first)
			again := req.WithContext(req.Context())
			again.Body, _ = req.GetBody()
			second, err := wire{}.RoundTrip(again)
			second.Request = req
			return second, err
		}
	}
	drain := func(r *http.Response) { io.Copy(io.Discard, r.Body); r.Body.Close() }
	changed := func(change func(*http.Request)) roundTripper {
		return func(req *http.Request) (*http.Response, error) { change(req); return wire{}.RoundTrip(req) }
	}
	after := func(change func(*http.Response)) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := wire{}.RoundTrip(req)
			change(resp)
			return resp, err
		}
	}
	for name, c := range map[string]struct {
		rt   roundTripper
		want string // "" is nothing
	}{
		"correct":              {wire{}.RoundTrip, ""},
		"correct retry":        {twice(drain), ""},
		"header added":         {changed(func(r *http.Request) { r.Header.Set("X-Trace", "1") }), "the request was changed"},
		"header value changed": {changed(func(r *http.Request) { r.Header["x-odd-case"][1] = "once" }), "the request was changed"},
		"URL changed":          {changed(func(r *http.Request) { r.URL.Path = "/" }), "another [URL]"},
		"URL replaced":         {changed(func(r *http.Request) { u := *r.URL; r.URL = &u }), "the request was changed"},
		"body replaced":        {changed(func(r *http.Request) { r.Body = struct{ io.ReadCloser }{r.Body} }), "the request was changed"},
		"length changed":       {changed(func(r *http.Request) { r.ContentLength = -1 }), "the request was changed"},
		"GetBody removed":      {changed(func(r *http.Request) { r.GetBody = nil }), "the request was changed"},
		"body read before":     {changed(func(r *http.Request) { io.CopyN(io.Discard, r.Body, 1) }), "an attempt has a body of"},
		"body left open":       {func(*http.Request) (*http.Response, error) { return nil, errOdd }, "request body 0 is open"},
		"body read late":       {func(r *http.Request) (*http.Response, error) { r.Body.Close(); io.ReadAll(r.Body); return nil, errOdd }, "read after it was closed"},
		"empty second body": {func(r *http.Request) (*http.Response, error) {
			resp, _ := wire{}.RoundTrip(r)
			drain(resp)
			return wire{}.RoundTrip(r)
		}, "an attempt has a body of 0 bytes"},
		"discarded left open": {twice(func(*http.Response) {}), "discarded response 0 is open"},
		"discarded not read":  {twice(func(r *http.Response) { r.Body.Close() }), "discarded response 0 is not drained"},
		"delivered closed":    {after(func(r *http.Response) { r.Body.Close() }), "the response comes closed"},
		"delivered cut":       {after(func(r *http.Response) { io.CopyN(io.Discard, r.Body, 1) }), "the response reads"},
		"delivered another":   {after(func(r *http.Response) { r.Body = io.NopCloser(r.Body) }), "closing the response closes nothing"},
		"nil body":            {after(func(r *http.Response) { r.Body = nil }), "nil body"},
		"other request":       {after(func(r *http.Response) { r.Request = nil }), "not of the caller's request"},
		"neither":             {func(r *http.Request) (*http.Response, error) { r.Body.Close(); return nil, nil }, "neither or both"},
		"both": {func(r *http.Request) (*http.Response, error) {
			resp, _ := wire{}.RoundTrip(r)
			return resp, errOdd
		}, "neither or both"},
		"goroutine left": {func(r *http.Request) (*http.Response, error) {
			go func() { <-r.Context().Done() }()
			return wire{}.RoundTrip(r)
		}, "1 goroutines are left"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				defer s.cancel()
				p := &probe{answers: []script{ok}}
				p.call(c.rt, p.request(s.ctx, http.MethodPut, replayable), true)
				if c.want == "" {
					assert.Empty(t, p.broken)
					return
				}
				assert.Contains(t, strings.Join(p.broken, "\n"), c.want)
			})
		})
	}
}

// The probe sees a response that is read without end.
func TestProbeSeesEndlessDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{answers: []script{refusesWith(func() *watched { return watch(endless()) })}}
		p.call(roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, _ := wire{}.RoundTrip(r)
			io.CopyN(io.Discard, resp.Body, 2*mostDrained)
			resp.Body.Close()
			return nil, errOdd
		}), p.request(t.Context(), http.MethodGet, noBody), true)
		assert.Contains(t, strings.Join(p.broken, "\n"), "bytes were read of discarded response 0")
	})
}
