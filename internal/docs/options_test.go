package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every option of the client stands in an example.
func TestOptionsHaveExamples(t *testing.T) {
	options, shown := map[string]bool{}, map[string]bool{}
	for name, text := range files(t, func(name string) bool { return strings.HasSuffix(name, ".go") }) {
		option := path.Dir(name) == "client" && !strings.HasSuffix(name, "_test.go")
		if !option && !strings.Contains(text, "\nfunc Example") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			switch {
			case !ok:
			case option && isOption(fn):
				options[fn.Name.Name] = true
			case !option && strings.HasPrefix(fn.Name.Name, "Example"):
				ast.Inspect(fn, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok {
						shown[s.Sel.Name] = true
					}
					return true
				})
			}
		}
	}
	require.Greater(t, len(options), 20, "the options are not found")
	for name := range options {
		assert.True(t, shown[name], "%s stands in no example", name)
	}
}

// isOption reports whether a function returns an option that is not deprecated.
func isOption(f *ast.FuncDecl) bool {
	results := f.Type.Results
	if f.Recv != nil || !f.Name.IsExported() || results == nil || len(results.List) != 1 || strings.Contains(f.Doc.Text(), "Deprecated:") {
		return false
	}
	result, ok := results.List[0].Type.(*ast.Ident)
	return ok && result.Name == "Option"
}
