package header

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
)

var update = flag.Bool("update", false, "write the generated parts of docs/headers.md")

const (
	docs = "../../docs/headers.md"

	// untracedMark begins the source of a response that nobody can look up.
	untracedMark = "untraced: "
	maxUntraced  = 480
)

// TestSourcesHaveAddresses lets no further response in whose source nobody can look up.
func TestSourcesHaveAddresses(t *testing.T) {
	untraced := 0
	for _, s := range loadCorpus(t) {
		if strings.HasPrefix(s.Source, untracedMark) {
			untraced++
			continue
		}
		if strings.Contains(s.Source, "a public repository") {
			require.Contains(t, s.Source, "://", "%s: say which, or begin with %q", s.ID, untracedMark)
		}
	}
	require.LessOrEqual(t, untraced, maxUntraced, "name the repository and the path of a new response")
}

// TestDocs keeps the tables of docs/headers.md as the code reads the corpus.
// Run it with -update to write them.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile(docs)
	require.NoError(t, err)
	got := string(data)
	want := between(t, got, "responses", responseTable(t))
	want = between(t, want, "dialects", dialectTable())
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(want), 0o644))
		return
	}
	if got != want { // a difference of all its rows would hide what to do
		t.Fatal("docs/headers.md is out of date; run: go test ./throttle/header -run TestDocs -update")
	}
}

// between puts text between the two marks of that name.
func between(t *testing.T, doc, name, text string) string {
	first, last := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->\n"
	head, rest, ok := strings.Cut(doc, first)
	require.True(t, ok, "no %s in %s", first, docs)
	_, tail, ok := strings.Cut(rest, last)
	require.True(t, ok, "no %s in %s", last, docs)
	return head + first + text + last + tail
}

func responseTable(t *testing.T) string {
	var b strings.Builder
	all := loadCorpus(t)
	b.WriteString(origins(all))
	b.WriteString("| from | response | read as | source |\n|---|---|---|---|\n")
	slices.SortStableFunc(all, func(a, b sample) int {
		return strings.Compare(strings.ToLower(a.Provider), strings.ToLower(b.Provider))
	})
	for _, s := range all {
		r := s.read(t)
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(s.Provider), example(t, &s), reading(r), cell(s.Source))
	}
	return b.String()
}

// origins says of how many responses nobody can check the source.
func origins(all []sample) string {
	untraced, madeUp := 0, 0
	for _, s := range all {
		switch {
		case strings.HasPrefix(s.Source, untracedMark):
			untraced++
		case strings.HasPrefix(s.Source, "made up"):
			madeUp++
		}
	}
	return fmt.Sprintf("Of %d responses, %d are made up, and %d are `untraced`: quoted from a public repository of which no address was\n"+
		"kept. Those hold the reading in place; they are no evidence of what their sender sends.\n\n", len(all), madeUp, untraced)
}

// example is the status and the fields that are about limits.
func example(t *testing.T, s *sample) string {
	lines := []string{fmt.Sprint(s.Status)}
	rd := s.reader(t)
	for _, line := range s.Header {
		name, value, _ := strings.Cut(line, ":")
		if f := rd.fieldOf(http.CanonicalHeaderKey(name)); f.Role == names.RoleNone || f.Role >= names.RoleDate {
			continue
		}
		lines = append(lines, "`"+name+": "+shorten(strings.TrimSpace(value))+"`")
	}
	if s.Body != "" && len(lines) == 1 {
		lines = append(lines, "`"+shorten(strings.TrimSpace(s.Body))+"`")
	}
	return strings.ReplaceAll(strings.Join(lines, "<br>"), "|", "\\|")
}

func reading(r *Reading) string {
	var lines []string
	if r.Refused {
		lines = append(lines, "**refused**")
	}
	if r.Wait.Known() {
		how := "derived"
		if r.Wait.Explicit {
			how = "explicit"
		}
		lines = append(lines, fmt.Sprintf("wait %v, %s", r.Wait.Delay, how))
	}
	for _, w := range r.Windows {
		lines = append(lines, cell(brief(w)))
	}
	if lines == nil {
		return "nothing"
	}
	return strings.Join(lines, "<br>")
}

func dialectTable() string {
	var b strings.Builder
	b.WriteString("| dialect | hosts | what only it can tell |\n|---|---|---|\n")
	for _, d := range dialects {
		var what []string
		for name, f := range d.Fields {
			if f.Unit == 0 || f.Role == Length {
				what = append(what, fmt.Sprintf("`%s` is %s", name, docRoles[f.Role]))
				continue
			}
			what = append(what, fmt.Sprintf("`%s` is in units of %v", name, f.Unit))
		}
		slices.Sort(what)
		for _, p := range d.Periods {
			what = append(what, fmt.Sprintf("lists hold %s (%v)", p.Name, p.Length))
		}
		if d.Bodies {
			what = append(what, "the body of a success can tell a limit")
		}
		if d.Refusals {
			what = append(what, "a success may be a refusal")
		}
		hosts := strings.Join(d.Hosts, ", ")
		if hosts == "" {
			hosts = "any; choose it by name"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", d.Name, hosts, strings.Join(what, "; "))
	}
	return b.String()
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:97], "") + "..."
	}
	return strings.ReplaceAll(s, "`", "'")
}

func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
}

var docRoles = map[Role]string{Limit: "the limit", Remaining: "what is left", Used: "what is used", ResetTime: "the reset",
	Length: "the length of the window", RetryAfter: "the wait"}
