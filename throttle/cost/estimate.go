package cost

import (
	"io"
	"net/http"
	"strings"
)

// maxBody is how much of a request body is read.
const maxBody = 1 << 20

// Estimate returns what a request says of its cost. It reads at most a
// mebibyte of a copy of the body that GetBody returns, and never the body
// itself; without GetBody, or where the body is compressed, it knows only what
// the URL says and the length.
func (a *API) Estimate(req *http.Request) Estimate {
	e := Estimate{Bytes: max(0, req.ContentLength)}
	if prefix := a.Model; strings.HasPrefix(prefix, "/") && req.URL != nil {
		e.Model = segment(req.URL.Path, prefix)
	}
	if body := copyOf(req); len(body) > 0 {
		a.read(&e, body)
	}
	return e
}

// read adds what a body says.
func (a *API) read(e *Estimate, body []byte) {
	times := 1.0
	s := scanner{text: body}
	s.found = func(path, value []byte) {
		if string(path) == a.Model && len(value) > 2 && value[0] == '"' && len(value) < 256 {
			e.Model = string(value[1 : len(value)-1])
		}
		n, ok := number(value)
		if !ok {
			return
		}
		for _, name := range a.Times {
			if name == string(path) && n >= 1 && n < 1e6 {
				times = max(times, n)
			}
		}
		for _, t := range a.Most {
			if t.Field != string(path) {
				continue
			}
			if n, ok := t.amount(n); ok {
				if e.Most == nil {
					e.Most = Units{}
				}
				e.Most[t.Unit] = max(e.Most[t.Unit], n)
			}
		}
	}
	s.walk()
	for unit := range e.Most {
		e.Most[unit] = min(e.Most[unit]*times, absurd)
	}
	if s.open {
		e.Bytes = 0 // what was not read is more of it
	}
	e.Bytes = max(e.Bytes, int64(len(body))) - int64(s.skips)
}

// copyOf returns the beginning of a request's body, nil if it cannot be had.
func copyOf(req *http.Request) []byte {
	if req.GetBody == nil || req.Body == nil || req.Body == http.NoBody || req.Header.Get("Content-Encoding") != "" {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer func() { _ = body.Close() }() // it was only read
	size := int64(maxBody)
	if 0 < req.ContentLength && req.ContentLength < size {
		size = req.ContentLength
	}
	text := make([]byte, size)
	n, err := io.ReadFull(body, text)
	if err != nil && n == 0 {
		return nil
	}
	return text[:n]
}

// segment returns what follows a prefix in a URL's path, up to the next slash
// and without a method after a colon, as in models/gemini-2.5-pro:countTokens.
func segment(path, prefix string) string {
	_, rest, ok := strings.Cut(path, prefix)
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "/")
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && i+1 < len(rest) && (rest[i+1] < '0' || rest[i+1] > '9') {
		rest = rest[:i]
	}
	return rest
}
