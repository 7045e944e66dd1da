package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// fill returns a page with text between its marks, <!-- name --> and <!-- /name -->.
func fill(page string, parts map[string]string) (string, []byte, error) {
	old, err := os.ReadFile(filepath.Join(docs, page)) //nolint:gosec // a file of the tree
	if err != nil {
		return "", nil, err
	}
	text := string(old)
	for name, part := range parts {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		from, to := strings.Index(text, begin), strings.Index(text, end)
		if from < 0 || to < from {
			return "", nil, fmt.Errorf("%s has no marks for %q", page, name)
		}
		text = text[:from+len(begin)] + "\n" + strings.TrimSpace(part) + "\n\n" + text[to:]
	}
	return page, []byte(text), nil
}
