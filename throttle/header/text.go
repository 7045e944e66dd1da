package header

import (
	"strconv"
	"strings"
)

// lowerString is strings.ToLower for the short words of names.
func lowerString(s string) string { return strings.ToLower(s) }

// numbered tells the n-th window of a name from the first.
func numbered(name string, n int) string { return name + "#" + strconv.Itoa(n) }
