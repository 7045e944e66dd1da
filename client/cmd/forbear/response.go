package main

import (
	"bytes"
	"errors"
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
	for {
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
			continue
		}
		last = &response{status: status, header: make(http.Header)}
		text = last.readHeader(rest)
	}
}

// readHeader reads lines up to the empty one, and returns what follows. It leaves out what is
// no field.
func (r *response) readHeader(text []byte) []byte {
	last := "" // the name of the field that the next line may continue
	for {
		line, rest := cutLine(text)
		if line == "" || rest == nil && text == nil {
			return rest
		}
		name, value, ok := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "* "): // of curl -v
		case line[0] == ' ' || line[0] == '\t':
			if values := r.header[last]; len(values) > 0 {
				values[len(values)-1] = strings.TrimSpace(values[len(values)-1] + " " + strings.TrimSpace(line))
			}
		case ok && name != "" && !strings.ContainsFunc(name, notToken):
			last = textproto.CanonicalMIMEHeaderKey(name)
			r.header[last] = append(r.header[last], strings.TrimSpace(value))
		default:
			last = ""
		}
		text = rest
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
