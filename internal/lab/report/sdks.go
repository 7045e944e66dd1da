package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/sdks"
)

func sdkPage() (string, []byte, error) {
	rows, err := lab.Read[sdks.Row](sdks.RowsFile)
	if err != nil {
		return "", nil, err
	}
	versions, err := lab.Versions("go.mod")
	if err != nil {
		return "", nil, err
	}
	snippets, err := snippets()
	if err != nil {
		return "", nil, err
	}
	return fill("sdks.md", map[string]string{"sdks": sdkTable(versions), "tried": tried(rows), "snippets": snippets})
}

// sdkTable lists the SDKs, what their APIs tell, and what they do by themselves.
func sdkTable(versions map[string]string) string {
	var b strings.Builder
	b.WriteString("| SDK | what its API tells of limits | what it does by itself | switch that off by |\n|---|---|---|---|\n")
	for _, s := range sdks.All() {
		fmt.Fprintf(&b, "| [%s](#%s) %s | %s ([source](%s)) | %s | %s |\n", s.Name, strings.ToLower(s.Func), versions[s.Module], s.Limits, s.Source, s.Own, s.Off)
	}
	return b.String()
}

// tried lists what came of the calls.
func tried(rows []sdks.Row) string {
	var b strings.Builder
	b.WriteString("| SDK | set up | calls | failed calls | requests | refused | took | a call to an API that is down | to one that always refuses |\n")
	b.WriteString("|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		setup := map[sdks.Setup]string{
			sdks.Advised: "**forbear, as below**", sdks.LeftOn: "forbear, and the SDK's own", sdks.Alone: "the SDK's own alone",
		}[r.Setup]
		took := time.Duration(r.Took * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %v | %s | %s |\n",
			r.SDK, setup, r.Calls, r.Failed, r.Requests, r.Refused, took, requests(r.Down), requests(r.Closed))
	}
	return b.String()
}

func requests(n int) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}

// snippets shows how each SDK is set up: the code of package sdks.
func snippets() (string, error) {
	var b strings.Builder
	for _, s := range sdks.All() {
		code, err := source(filepath.Join("sdks", s.File), s.Func, s.Module)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "### %s\n\n```go\n%s\n```\n\n%s\n\n", s.Func, code, s.Note)
		fmt.Fprintf(&b, "[Source](../internal/lab/sdks/%s), [tests](../internal/lab/sdks/sdks_test.go): `cd internal/lab && go test ./sdks -run '/%s'`\n\n",
			s.File, strings.ReplaceAll(s.Name, "/", "."))
	}
	return b.String(), nil
}

// source returns the code of a function, below what its file imports of a module.
func source(file, name, module string) (string, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of the tree
	if err != nil {
		return "", err
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	cut := func(n ast.Node) string {
		return string(text[files.Position(n.Pos()).Offset:files.Position(n.End()).Offset])
	}
	var b strings.Builder
	for _, spec := range parsed.Imports {
		if strings.HasPrefix(spec.Path.Value, `"`+module) {
			b.WriteString("import " + cut(spec) + "\n")
		}
	}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == name {
			f.Doc = nil
			return b.String() + "\n" + cut(f), nil
		}
	}
	return "", fmt.Errorf("%s has no function %s", file, name)
}
