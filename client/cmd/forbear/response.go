package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// A response is what a server said, and when.
type response struct {
	host     string // "" if that is not known
	status   int
	header   http.Header
	body     []byte
	received time.Time // zero if that is not known
}

var errNoResponse = errors.New("no HTTP response: the input should be what curl -i prints, or a HAR file")

// parseResponse reads what curl -i prints, or the part of curl -v that came from the
// server. Of several responses, after a redirect or 100 Continue, the last one counts.
func parseResponse(text []byte) (*response, error) {
	var last *response
	for number := 1; ; {
		line, rest := cutLine(text)
		if last == nil && rest == nil {
			return nil, errNoResponse
		}
		status, ok := statusOf(line)
		if !ok {
			if last != nil {
				last.body = text
				return last, nil
			}
			text = rest // what curl -v says before
			number++
			continue
		}
		r := &response{status: status, header: make(http.Header)}
		var err error
		if text, number, err = r.readHeader(rest, number+1); err != nil {
			return nil, err
		}
		last = r
	}
}

// readHeader reads lines up to the empty one, and returns what follows.
func (r *response) readHeader(text []byte, number int) ([]byte, int, error) {
	for {
		line, rest := cutLine(text)
		if line == "" || rest == nil && text == nil {
			return rest, number + 1, nil
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		switch {
		case ok && name != "" && !strings.ContainsAny(name, " \t"):
			name = textproto.CanonicalMIMEHeaderKey(name)
			r.header[name] = append(r.header[name], strings.TrimSpace(value))
		case strings.HasPrefix(line, "* "): // of curl -v
		default:
			return nil, 0, fmt.Errorf("line %d is no header field", number)
		}
		text = rest
		number++
	}
}

// cutLine returns the first line, without the mark that curl -v puts before it. The rest
// is nil after the last line.
func cutLine(text []byte) (string, []byte) {
	line, rest, more := bytes.Cut(text, []byte("\n"))
	if !more {
		rest = nil
	}
	s := strings.TrimSuffix(string(line), "\r")
	if s == "<" {
		s = ""
	}
	return strings.TrimPrefix(s, "< "), rest
}

// statusOf reads a status line of any version of HTTP.
func statusOf(line string) (int, bool) {
	proto, rest, ok := strings.Cut(line, " ")
	if !ok || !strings.HasPrefix(proto, "HTTP/") {
		return 0, false
	}
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	return status, err == nil && status >= 100 && status < 600
}
