package page

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/words"
	"github.com/forbear-go/forbear/throttle"
)

// functions are the functions that the template calls.
var functions = template.FuncMap{
	"at": func(t time.Time) string { return t.UTC().Format(time.TimeOnly) },
	"plural": func(n int, one, many string) string {
		if n == 1 {
			return one
		}
		return many
	},
	"wait":  func(s float64) string { return words.Duration(seconds(s)) },
	"title": title, "subtitle": subtitle, "queue": queueOf,
	"label": label, "left": left, "level": level, "percent": percent, "opens": opens,
	"history": historyOf, "path": path,
}

// title returns the most telling name of a key.
func title(k Key) string {
	switch {
	case k.Name != "":
		return k.Name
	case k.Host != "":
		return k.Host
	}
	return "key " + k.ID
}

func subtitle(k Key) string {
	text := whose(k)
	if k.Shared != nil {
		text += " · " + k.Shared.String()
	}
	return text
}

// whose returns the names of a key that its title is without.
func whose(k Key) string {
	switch {
	case k.Name != "" && k.Host != "":
		return k.Host + ", key " + k.ID
	case k.Name != "" || k.Host != "":
		return "key " + k.ID
	}
	return "no request is over yet"
}

// queueOf describes how long the waiting requests will wait.
func queueOf(now time.Time, k Key) string {
	switch {
	case k.Waiting > 0 && k.Empty.After(now):
		return "Queue empty in about " + words.Duration(k.Empty.Sub(now)) + "."
	case k.Waiting > 0:
		return "Waiting for answers."
	case k.Hold.After(now):
		return "The server asked to wait " + words.Duration(k.Hold.Sub(now)) + "."
	}
	return "Nothing waits."
}

// label names a limit.
func label(l Limit) string {
	name := l.Name
	if name == "" {
		name = "limit"
	}
	if l.Scope != "" {
		name += " of " + l.Scope
	}
	return name
}

// left describes how much of a limit is left, and of which unit.
func left(l Limit) string {
	switch {
	case l.Rate > 0:
		return fmt.Sprintf("%.3g a second", l.Rate)
	case l.Max < 0:
		return "not told"
	case l.Unit != "" && l.Unit != "requests":
		return fmt.Sprintf("%d of %d %s left", l.Left, l.Max, l.Unit)
	}
	return fmt.Sprintf("%d of %d left", l.Left, l.Max)
}

func percent(l Limit) int {
	switch {
	case l.Max > 0:
		return int(math.Ceil(100 * float64(l.Left) / float64(l.Max)))
	case l.Max == 0:
		return 0
	}
	return 100
}

// level describes how much is left, for readers who cannot see the length of the bar.
func level(l Limit) string {
	switch p := percent(l); {
	case p == 0:
		return "gone"
	case p <= 25:
		return "low"
	}
	return "good"
}

// opens describes when a limit opens again, and its kind.
func opens(now time.Time, l Limit) string {
	var parts []string
	if in := words.Duration(l.Opens.Sub(now)); l.Opens.After(now) {
		if l.Kind == declaredKind {
			parts = append(parts, "all of it in "+in)
		} else {
			parts = append(parts, "opens in "+in)
		}
	}
	kind := l.Kind
	switch {
	case l.Seconds > 0 && kind == string(throttle.Bucket):
		kind = "bucket that fills in " + words.Duration(seconds(l.Seconds))
	case l.Seconds > 0:
		kind = strings.TrimSpace(kind + " window of " + words.Duration(seconds(l.Seconds)))
	}
	if kind != "" {
		parts = append(parts, kind)
	}
	if l.Others {
		parts = append(parts, "others spend it too")
	}
	return strings.Join(parts, " · ")
}

// historyOf describes the sparkline in words.
func historyOf(k Key) string {
	var sent, refused int
	for _, s := range k.History {
		sent += s.Sent
		refused += s.Refused
	}
	return fmt.Sprintf("Last five minutes: %d sent, %d refused", sent, refused)
}

// path draws a stroke for each slot of a history in which requests were sent or, if refused
// is set, refused. The strokes of refused requests cover those of sent ones.
func path(history []Slot, refused bool) string {
	most := 1
	for _, s := range history {
		most = max(most, s.Sent, s.Refused)
	}
	var b strings.Builder
	for i, s := range history {
		n := s.Sent
		if refused {
			n = s.Refused
		}
		if n > 0 {
			fmt.Fprintf(&b, "M%d.5 20v-%.1f", i, math.Max(1, 19*float64(n)/float64(most)))
		}
	}
	return b.String()
}
