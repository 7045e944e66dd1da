// Package docs holds the tests of this repository's documents: that what they link to
// is there.
package docs
