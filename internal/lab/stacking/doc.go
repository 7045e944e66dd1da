// Package stacking holds the tests of docs/stacking.md: what goes above a forbear
// client, and what below.
package stacking
