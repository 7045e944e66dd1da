package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/words"
	"github.com/forbear-go/forbear/throttle/header"
)

var explainCommand = command{
	name:    "explain",
	summary: "say what a response tells of limits",
	help: `usage: forbear explain [-host name] < response

Explain reads a response from standard input, as curl -i prints it, or a HAR file as
browsers save it. It says which limits the response announces, how much of each is left
and when it opens again, what forbear would do, and which fields look as if they were
about limits but are not understood. Of a HAR file it explains the last response of
each host that tells of a limit.

	curl -si https://api.github.com/zen | forbear explain -host api.github.com`,
	run: explain,
}

func explain(_ context.Context, flags *flag.FlagSet, args []string, s *streams) error {
	host := flags.String("host", "", "the `name` of the host that sent the response; some APIs are known by it")
	if err := parse(flags, args); err != nil {
		return err
	}
	text, err := io.ReadAll(s.in)
	if err != nil {
		return err
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	var all []*response
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		if all, err = parseHAR(text); err != nil {
			return err
		}
		all = lastOfEach(all)
	} else {
		r, err := parseResponse(text)
		if err != nil {
			return err
		}
		all = []*response{r}
	}
	for i, r := range all {
		if *host != "" {
			r.host = *host
		}
		if i > 0 {
			fmt.Fprintln(s.out)
		}
		if err := r.explain(s.out, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// lastOfEach returns the last response of each host that tells of a limit, or else its
// last one, in the order of their hosts.
func lastOfEach(all []*response) []*response {
	last, telling := make(map[string]*response), make(map[string]bool)
	for _, r := range all {
		tells := r.read(time.Now()).tells()
		if tells || !telling[r.host] {
			last[r.host], telling[r.host] = r, tells
		}
	}
	chosen := make([]*response, 0, len(last))
	for _, host := range slices.Sorted(maps.Keys(last)) {
		chosen = append(chosen, last[host])
	}
	return chosen
}

// A reading is what a response says, at some time.
type reading struct {
	header.Reading
	now time.Time
}

// read reads the response. It counts as received when the server says that it made it,
// if nobody knows better: it may have been kept in a file.
func (r *response) read(now time.Time) *reading {
	at := r.received
	if at.IsZero() {
		at = now
		if date, err := http.ParseTime(r.header.Get("Date")); err == nil {
			at = date
		}
	}
	got := &reading{now: at}
	reader, err := header.NewReader(r.host)
	if err != nil {
		reader = new(header.Reader) // an odd host has no dialect
	}
	reader.Read(&got.Reading, r.status, r.header, r.body, at)
	return got
}

// tells reports whether a reading says anything.
func (r *reading) tells() bool {
	return len(r.Windows) > 0 || r.Refused || r.Paused || r.Wait.Known()
}

// explain says in words what the response tells.
func (r *response) explain(out io.Writer, now time.Time) error {
	got := r.read(now)
	from := ""
	if r.host != "" {
		from = " from " + shown(r.host)
	}
	verdict := "not refused"
	if got.Refused {
		verdict = "refused because of a limit"
	}
	fmt.Fprintf(out, "Status %d%s at %s: %s.\n", r.status, from, got.now.UTC().Format(time.DateTime+" UTC"), verdict)
	if got.Stale {
		fmt.Fprintln(out, "A cache answered, so its limits are those of an older response and are not used.")
	}
	fmt.Fprintln(out, "\nLimits")
	for i := range got.Windows {
		fmt.Fprintf(out, "  %s\n", got.describe(&got.Windows[i]))
	}
	if len(got.Windows) == 0 {
		fmt.Fprintln(out, "  It announces none. Forbear learns them from refusals, if there are any.")
	}
	plan, err := r.plan(got)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nWhat forbear would do\n  %s\n", strings.Join(plan, "\n  "))
	if odd := r.unread(now); len(odd) > 0 {
		fmt.Fprintln(out, "\nNot understood; please report at https://github.com/forbear-go/forbear/issues")
		for _, name := range odd {
			fmt.Fprintf(out, "  %s: %s\n", shown(name), shown(strings.Join(r.header[name], ", ")))
		}
	}
	return nil
}

// describe says what is known of a limit.
func (r *reading) describe(w *header.Window) string {
	var b strings.Builder
	b.WriteString(shown(w.Name))
	if w.Scope != "" {
		b.WriteString(" of " + shown(w.Scope))
	}
	unit := w.Unit
	if unit == "" {
		unit = "requests"
	}
	fmt.Fprintf(&b, ": %s of %s %s left", count(w.Remaining), count(w.Limit), shown(unit))
	if w.Length > 0 {
		b.WriteString(", in each " + words.Duration(w.Length))
	}
	if w.Reset.Known() {
		in := w.Reset.Delay(r.base())
		fmt.Fprintf(&b, ", opens in %s (at %s)", words.Duration(in), r.now.Add(in).UTC().Format(time.TimeOnly))
	}
	return b.String()
}

// base is the moment from which delays count, by the server's clock.
func (r *reading) base() time.Time {
	if r.Date.IsZero() {
		return r.now
	}
	return r.Date
}

func count(c header.Count) string {
	switch c.State {
	case header.Known:
		return strconv.FormatFloat(c.Value, 'f', -1, 64)
	case header.Unlimited:
		return "unlimited"
	case header.Malformed:
		return "unreadable"
	}
	return "unknown"
}

// suspects are parts of the names of fields about limits.
var suspects = []string{"limit", "retry", "quota", "remain", "reset", "throttl", "backoff", "credit", "usage", "penalty", "cooldown", "burst", "concurren"}

// innocents are names that have such a part and are about something else.
var innocents = []string{"x-upload-limit", "content-security-policy", "x-xss-protection"}

// unread returns the names of the fields that look as if they were about limits, but
// change nothing in the reading, neither alone nor among the others.
func (r *response) unread(now time.Time) []string {
	all := r.read(now)
	var odd []string
	for name, values := range r.header {
		low := strings.ToLower(name)
		if slices.Contains(innocents, low) || strings.HasPrefix(low, "access-control-") ||
			!slices.ContainsFunc(suspects, func(part string) bool { return strings.Contains(low, part) }) {
			continue
		}
		without, alone := *r, *r
		without.header = maps.Clone(r.header)
		delete(without.header, name)
		alone.header, alone.body = http.Header{name: values}, nil
		alone.received = all.now
		nothing := alone
		nothing.header = http.Header{}
		if without.read(now).same(all) && alone.read(now).same(nothing.read(now)) {
			odd = append(odd, name)
		}
	}
	slices.Sort(odd)
	return odd
}

// same reports whether two readings say the same.
func (r *reading) same(as *reading) bool {
	return r.Refused == as.Refused && r.Paused == as.Paused && r.Wait == as.Wait && reflect.DeepEqual(r.Windows, as.Windows)
}
