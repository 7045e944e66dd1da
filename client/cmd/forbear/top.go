package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/forbear-go/forbear/client/page"
	"github.com/forbear-go/forbear/internal/words"
)

var topCommand = command{
	name:    "top",
	summary: "watch a proxy in a terminal",
	help: `usage: forbear top [-url http://localhost:8080/-/] [flags]

Top shows the page of a proxy, or of any program that serves one, in a terminal: for each
key how much of every limit is left and when it opens again, how many requests wait and
when the last of them will go. It ends on an interrupt.`,
	run: top,
}

func top(ctx context.Context, flags *flag.FlagSet, args []string, s *streams) error {
	address := flags.String("url", "http://localhost:8080/-/", "the `url` of the page")
	search := flags.String("search", "", "show keys whose host, name or hash has this `text`")
	most := flags.Int("n", 10, "show so many `keys` at most")
	every := flags.Duration("every", time.Second, "look again after this time")
	once := flags.Bool("once", false, "look once and end, without clearing the screen")
	if err := parse(flags, args); err != nil {
		return err
	}
	u, err := url.Parse(*address)
	if err != nil || u.Host == "" {
		return usageError{fmt.Errorf("-url %q is no URL", *address)}
	}
	if *every <= 0 || *most <= 0 {
		return usageError{errors.New("-every and -n must be positive")}
	}
	u.RawQuery = url.Values{"q": {*search}, "n": {strconv.Itoa(*most)}}.Encode()
	tick := time.NewTicker(*every)
	defer tick.Stop()
	for seen := false; ; seen = true {
		text := ""
		v, err := look(ctx, u)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			text = table(v)
		case seen:
			text = err.Error() + "\n" // the proxy may be starting again
		default:
			return err
		}
		if !*once {
			text = "\x1b[H\x1b[2J" + text
		}
		if _, err := io.WriteString(s.out, text); err != nil || *once {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// mostPage is the longest page that is read.
const mostPage = 32 << 20

// look reads the page as JSON.
func look(ctx context.Context, u *url.URL) (*page.View, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the page answered %s", resp.Status)
	}
	var v page.View
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostPage)).Decode(&v); err != nil {
		return nil, fmt.Errorf("no page of limits: %w", err)
	}
	return &v, nil
}

// table draws a view.
func table(v *page.View) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s, %d waiting, %s\n", v.Found, plural(v.Found, "key"), v.Waiting, v.Time.UTC().Format(time.TimeOnly+" UTC"))
	for i := range v.Keys {
		k := &v.Keys[i]
		title := k.Name
		for _, more := range []string{k.Host, "key " + k.ID} {
			if more != "" {
				title = strings.TrimPrefix(title+", "+more, ", ")
			}
		}
		fmt.Fprintf(&b, "\n%s", shown(title))
		if k.Shared != nil {
			fmt.Fprintf(&b, ", %s", k.Shared)
		}
		fmt.Fprintf(&b, "\n  %d waiting", k.Waiting)
		if k.Waiting > 0 && k.Empty.After(v.Time) {
			fmt.Fprintf(&b, " (empty in %s)", words.Duration(k.Empty.Sub(v.Time)))
		}
		fmt.Fprintf(&b, ", %d in flight, %d sent, %d refused, %d retried, %d given up, wait p50 %s p95 %s\n", k.InFlight, k.Sent, k.Refused,
			k.Retried, k.GivenUp, seconds(k.P50), seconds(k.P95))
		for _, l := range k.Limits {
			b.WriteString(row(v.Time, l))
		}
	}
	return b.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// row draws a limit.
func row(now time.Time, l page.Limit) string {
	const width = 20
	name := shown(l.Name)
	if l.Scope != "" {
		name += " of " + shown(l.Scope)
	}
	var b strings.Builder
	switch {
	case l.Max < 0 && l.Rate > 0:
		fmt.Fprintf(&b, "  %-20s %.3g a second", name, l.Rate)
	case l.Max < 0:
		fmt.Fprintf(&b, "  %-20s not told", name)
	default:
		full := 0
		if l.Max > 0 {
			full = min(max((width*l.Left+l.Max-1)/l.Max, 0), width)
		}
		unit := ""
		if l.Unit != "" && l.Unit != "requests" {
			unit = " " + shown(l.Unit)
		}
		fmt.Fprintf(&b, "  %-20s %s%s %d of %d%s left", name, strings.Repeat("█", full), strings.Repeat("░", width-full), l.Left, l.Max, unit)
	}
	if l.Opens.After(now) {
		when := "opens"
		if l.Kind == "rule" {
			when = "all of it"
		}
		fmt.Fprintf(&b, ", %s in %s", when, words.Duration(l.Opens.Sub(now)))
	}
	return b.String() + "\n"
}

func seconds(s float64) string { return words.Duration(time.Duration(s * float64(time.Second))) }
