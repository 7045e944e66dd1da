package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A snippet is a block of code in a page.
type snippet struct {
	line int // of its first line
	lang string
	text string
}

// snippets returns the fenced blocks of a page in Markdown. It fails if one has no end.
func snippets(t *testing.T, page string) []snippet {
	t.Helper()
	var all []snippet
	var text []string
	open := false
	for i, line := range strings.Split(page, "\n") {
		lang, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case !fence && open:
			text = append(text, line)
		case fence && open:
			require.Empty(t, lang, "line %d: a block begins inside another", i+1)
			all[len(all)-1].text = strings.Join(text, "\n")
			open = false
		case fence:
			all, text, open = append(all, snippet{line: i + 2, lang: lang}), nil, true
		}
	}
	require.False(t, open, "the last block has no end")
	return all
}

// imports is a line that tells where something is from, which stands elsewhere in a file.
var imports = regexp.MustCompile(`(?m)^import .*"$`)

// squeeze makes one space of each white space, so that indentation does not matter.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// Every block of Go in every page stands in a test or in an example, where it is
// compiled, and mostly run.
func TestGoInPagesIsCompiled(t *testing.T) {
	pages := files(t, func(path string) bool { return strings.HasSuffix(path, ".md") })
	require.NotEmpty(t, pages["README.md"])
	require.NotEmpty(t, pages["docs/migration.md"])
	var compiled strings.Builder
	for _, text := range files(t, func(path string) bool {
		shown := strings.HasPrefix(path, "examples/") || strings.HasPrefix(path, "internal/lab/")
		return strings.HasSuffix(path, "_test.go") || shown && strings.HasSuffix(path, ".go")
	}) {
		compiled.WriteString(squeeze(text))
		compiled.WriteByte('\n')
	}
	found := 0
	for path, page := range pages {
		for _, s := range snippets(t, page) {
			if s.lang != "go" {
				require.NotRegexp(t, `(?i)^(go\b|golang)`, s.lang, "%s:%d: only blocks that are marked ```go are looked at", path, s.line)
				continue
			}
			found++
			if !strings.Contains(compiled.String(), squeeze(imports.ReplaceAllString(s.text, ""))) {
				t.Errorf("%s:%d: this stands in no test and no example:\n%s", path, s.line, s.text)
			}
		}
	}
	require.GreaterOrEqual(t, found, 10)
}

// The examples that the page on migration names are there, and it names them all.
func TestMigrationNamesItsExamples(t *testing.T) {
	names := regexp.MustCompile(`\bExample_from\w+`)
	texts := files(t, func(path string) bool {
		return path == "docs/migration.md" || strings.HasPrefix(path, "client/migration") && strings.HasSuffix(path, "_test.go")
	})
	page := texts["docs/migration.md"]
	delete(texts, "docs/migration.md")
	var named, there []string
	named = names.FindAllString(page, -1)
	for _, text := range texts {
		there = append(there, names.FindAllString(text, -1)...)
	}
	require.NotEmpty(t, there)
	require.Subset(t, named, there)
	require.Subset(t, there, named)
}

func TestSnippets(t *testing.T) {
	page := "# Title\n```go\nx := 1\n\n\ty()\n```\ntext\n\n1. list\n   ```sh\n   ls\n   ```\n```\nplain\n```\n"
	require.Equal(t, []snippet{
		{3, "go", "x := 1\n\n\ty()"}, {11, "sh", "   ls"}, {14, "", "plain"},
	}, snippets(t, page))
	require.Equal(t, "a b c", squeeze("\ta  b\n\n c "))
}
