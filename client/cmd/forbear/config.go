package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/queue"
)

// A config is what a configuration file says.
type config struct {
	upstreams []upstream
	rules     []rule
	nameField string // whose value names a key
}

// An upstream is where requests go whose path begins with prefix.
type upstream struct {
	prefix string
	url    *url.URL
}

// A rule is a limit that no response tells.
type rule struct {
	queue.Rule
	line int
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
	for n := 1; scan.Scan(); n++ {
		words, err := split(scan.Text())
		if err == nil && len(words) > 0 {
			err = c.add(words, n)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, r := range c.rules {
		if err := check(r.Rule); err != nil {
			return nil, fmt.Errorf("%s:%d: rule %s: %w", name, r.line, r.Name, err)
		}
	}
	return c, nil
}

// check asks the queue whether a rule makes sense.
func check(r queue.Rule) error {
	q, err := queue.New(queue.WithRule(r))
	if err == nil {
		q.Close()
	}
	return err
}

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

func (c *config) add(words []string, line int) error {
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
		return c.addRule(args[0], args[1:], line)
	case "name":
		if len(args) != 1 || strings.ContainsFunc(args[0], notToken) {
			return errors.New("name: want the name of a header field")
		}
		if c.nameField != "" {
			return errors.New("name: there is one already")
		}
		c.nameField = http.CanonicalHeaderKey(args[0])
		return nil
	}
	return fmt.Errorf("unknown directive %q, want to, rule or name", words[0])
}

// addUpstream adds where the requests below a path go.
func (c *config) addUpstream(prefix, address string) error {
	if !strings.HasPrefix(prefix, "/") || strings.HasPrefix(prefix, "/-/") || prefix != (&url.URL{Path: prefix}).EscapedPath() {
		return fmt.Errorf("to: path %q must begin with /, not with /-/, and need no escapes", prefix)
	}
	if !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("to: %q is no URL", address)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("to: %q must begin with http:// or https:// and a host", address)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("to: the URL of %s must have no user, query or fragment", u.Host)
	case slices.ContainsFunc(c.upstreams, func(u upstream) bool { return u.prefix == prefix }):
		return fmt.Errorf("to: there is an upstream for %s already", prefix)
	}
	c.upstreams = append(c.upstreams, upstream{prefix, u})
	return nil
}

// addRule adds a rule.
func (c *config) addRule(name string, fields []string, line int) error {
	if slices.ContainsFunc(c.rules, func(r rule) bool { return r.Name == name }) {
		return fmt.Errorf("rule: there is a rule %s already", name)
	}
	r := rule{queue.Rule{Name: name}, line}
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		var err error
		switch key {
		case "match":
			r.Pattern = value
		case "limit":
			var q queue.Quota
			if q, err = quota(value); err == nil {
				r.Limits = append(r.Limits, q)
			}
		case "scope":
			scopes := map[string]queue.Scope{"key": queue.PerKey, "host": queue.PerHost, "global": queue.Global}
			var ok bool
			if r.Scope, ok = scopes[value]; !ok {
				err = fmt.Errorf("want key, host or global, got %q", value)
			}
		case "in-flight":
			if r.MaxInFlight, err = strconv.Atoi(value); err != nil || r.MaxInFlight < 1 {
				err = fmt.Errorf("want a positive number, got %q", value)
			}
		default:
			return fmt.Errorf("rule %s: unknown field %q, want match, limit, scope or in-flight", name, key)
		}
		if err != nil {
			return fmt.Errorf("rule %s: %s: %w", name, key, err)
		}
	}
	c.rules = append(c.rules, r)
	return nil
}

// quota reads a limit such as 300/1h, or 10/1s:burst=5 for a token bucket.
func quota(text string) (queue.Quota, error) {
	text, burst, smooth := strings.Cut(text, ":burst=")
	count, period, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	d, errPeriod := time.ParseDuration(period)
	if !ok || err != nil || errPeriod != nil || n < 1 || d <= 0 {
		return queue.Quota{}, fmt.Errorf("want a number and a period such as 300/1h, got %q", text)
	}
	q := queue.Per(n, d)
	if smooth {
		b, err := strconv.Atoi(burst)
		if err != nil || b < 1 {
			return queue.Quota{}, fmt.Errorf("want a positive burst, got %q", burst)
		}
		q = q.TokenBucket(b)
	}
	return q, nil
}

// reshaped returns an error if other rules than their limits differ between two
// configurations: the requests that wait do so for the rules of old.
func reshaped(old, now []rule) error {
	if len(old) != len(now) {
		return fmt.Errorf("there are %d rules in place of %d; this needs a restart", len(now), len(old))
	}
	for i := range now {
		a, b := old[i].Rule, now[i].Rule
		same := len(a.Limits) > 0 == (len(b.Limits) > 0) && a.MaxInFlight > 0 == (b.MaxInFlight > 0)
		a.Limits, b.Limits, a.MaxInFlight, b.MaxInFlight = nil, nil, 0, 0
		if !same || !reflect.DeepEqual(a, b) {
			return fmt.Errorf("rule %s differs from the one before in more than its numbers; this needs a restart", b.Name)
		}
	}
	return nil
}

// notToken reports whether a character may not be part of the name of a header field.
func notToken(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}
