package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/forbear-go/forbear/client/internal/credentials"
	"github.com/forbear-go/forbear/queue"
)

// A config is what a configuration file says.
type config struct {
	upstreams []upstream
	rules     []queue.Rule
	nameField string // whose value names a key
}

// An upstream is where requests go whose path begins with prefix.
type upstream struct {
	prefix string
	url    *url.URL
}

// readConfig reads a configuration file.
func readConfig(name string) (*config, error) {
	f, err := os.Open(name) //nolint:gosec // the user names it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseConfig(name, f)
}

// parseConfig reads lines of words: a directive, its arguments, and fields such as
// limit=300/1h. A word may be quoted. What follows a # is a comment.
func parseConfig(name string, r io.Reader) (*config, error) {
	c := new(config)
	scan := bufio.NewScanner(r)
	n := 1
	for ; scan.Scan(); n++ {
		text := scan.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, byteOrderMark)
		}
		words, err := split(text)
		if err == nil && len(words) > 0 {
			err = c.add(words)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	switch err := scan.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%s:%d: longer than %d bytes", name, n, bufio.MaxScanTokenSize)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// byteOrderMark is how some editors begin a file.
const byteOrderMark = "\ufeff"

// split returns the words of a line.
func split(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || line[0] == '#' {
			return words, nil
		}
		var b strings.Builder
		for line != "" && !strings.ContainsRune(" \t\r", rune(line[0])) {
			if line[0] == '"' {
				quoted, rest, ok := strings.Cut(line[1:], `"`)
				if !ok {
					return nil, fmt.Errorf("missing quotation mark after %q", line)
				}
				b.WriteString(quoted)
				line = rest
				continue
			}
			b.WriteByte(line[0])
			line = line[1:]
		}
		words = append(words, b.String())
	}
}

func (c *config) add(words []string) error {
	switch args := words[1:]; words[0] {
	case "to":
		if len(args) != 2 {
			return fmt.Errorf("to: want a path and a URL, got %d words", len(args))
		}
		return c.addUpstream(args[0], args[1])
	case "rule":
		if len(args) < 2 {
			return errors.New("rule: want a name and fields such as limit=300/1h")
		}
		return c.addRule(args[0], args[1:])
	case "name":
		if len(args) != 1 || strings.ContainsFunc(args[0], notToken) {
			return errors.New("name: want the name of a header field")
		}
		if c.nameField != "" {
			return errors.New("name: there is one already")
		}
		if isCredential(args[0]) {
			return fmt.Errorf("name: %s is a credential, and names are shown", args[0])
		}
		c.nameField = http.CanonicalHeaderKey(args[0])
		return nil
	}
	return fmt.Errorf("unknown directive %q, want to, rule or name", words[0])
}

// addUpstream adds where the requests below a path go.
func (c *config) addUpstream(prefix, address string) error {
	path := prefix
	if !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if !strings.HasPrefix(prefix, "/") || strings.HasPrefix(prefix, "/-/") || prefix != (&url.URL{Path: prefix}).EscapedPath() {
		return fmt.Errorf("to: path %q must begin with /, not with /-/, and need no escapes", path)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "": // it may hold a password, so it is not shown
		return errors.New("to: want a URL that begins with http:// or https:// and a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("to: the URL of %s must have no user, query or fragment", u.Host)
	case slices.ContainsFunc(c.upstreams, func(u upstream) bool { return u.prefix == prefix }):
		return fmt.Errorf("to: there is an upstream for %s already", prefix)
	}
	c.upstreams = append(c.upstreams, upstream{prefix, u})
	return nil
}

// notToken reports whether a character may not be part of the name of a header field.
func notToken(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}

// isCredential reports whether a client takes the value of a header field for a credential.
func isCredential(field string) bool {
	if http.CanonicalHeaderKey(field) == "Cookie" {
		return true
	}
	identity := func(header http.Header) string {
		s := credentials.Spender{URL: new(url.URL)}
		s.Look(&http.Request{Header: header})
		return s.Identity()
	}
	known := http.Header{"X-Api-Key": {"known"}} // beside it, what only hints at who sends a request does not count
	with := known.Clone()
	with.Add(field, "other")
	return http.CanonicalHeaderKey(field) == "X-Api-Key" || identity(with) != identity(known)
}
