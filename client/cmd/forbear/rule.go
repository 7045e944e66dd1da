package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/queue"
)

// addRule adds a rule.
func (c *config) addRule(name string, fields []string) error {
	if slices.ContainsFunc(c.rules, func(r queue.Rule) bool { return r.Name == name }) {
		return fmt.Errorf("rule: there is a rule %s already", name)
	}
	r := queue.Rule{Name: name}
	seen := make(map[string]bool)
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		if err := setField(&r, key, value); err != nil {
			return fmt.Errorf("rule %s: %w", name, err)
		}
		if seen[key] && key != "limit" {
			return fmt.Errorf("rule %s: %s: there is one already", name, key)
		}
		seen[key] = true
	}
	if !seen["limit"] && !seen["in-flight"] {
		return fmt.Errorf("rule %s: want a limit or in-flight", name)
	}
	if err := check(&r); err != nil {
		return fmt.Errorf("rule %s: %w", name, err)
	}
	c.rules = append(c.rules, r)
	return nil
}

// setField sets what a field of a rule says.
func setField(r *queue.Rule, key, value string) (err error) {
	switch key {
	case "match":
		r.Pattern = value
		err = check(&queue.Rule{Name: r.Name, Pattern: value, MaxInFlight: 1})
		if value == "" {
			err = errors.New("want a pattern such as \"POST /files\"")
		}
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
		return fmt.Errorf("unknown field %q, want match, limit, scope or in-flight", key)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
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
func reshaped(old, now []queue.Rule) error {
	if len(old) != len(now) {
		return fmt.Errorf("there are %d rules in place of %d; this needs a restart", len(now), len(old))
	}
	for i := range now {
		a, b := old[i], now[i]
		same := len(a.Limits) > 0 == (len(b.Limits) > 0) && a.MaxInFlight > 0 == (b.MaxInFlight > 0)
		a.Limits, b.Limits, a.MaxInFlight, b.MaxInFlight = nil, nil, 0, 0
		if !same || !reflect.DeepEqual(a, b) {
			return fmt.Errorf("rule %s differs from the one before in more than its numbers; this needs a restart", b.Name)
		}
	}
	return nil
}

// check asks the queue whether a rule makes sense.
func check(r *queue.Rule) error {
	q, err := queue.New(queue.WithRule(*r))
	if err == nil {
		q.Close()
	}
	return err
}
