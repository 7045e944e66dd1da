package sharing

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOwnerOf(t *testing.T) {
	for query, want := range map[string]string{
		"":                                    "",
		"page=3&per_page=100":                 "",
		"account_id=4711&page=3":              "account_id=4711",
		"page=3&accountId=4711":               "accountId=4711",
		"since_id=99&user=jane":               "user=jane",
		"since_id=99&max_id=5&request_id=a":   "",
		"paid=true&valid=1&uuid=7":            "",
		"shop":                                "",
		"&&=&shop=":                           "shop=",
		"api=1&method=flickr.photos.search":   "method=flickr.photos.search",
		strings.Repeat("a", 99) + "id=1&id=2": "id=2",
	} {
		assert.Equal(t, want, OwnerOf(query), query)
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { OwnerOf("page=3&since_id=12&accountId=4711") }))
}

// What is returned is a parameter of the query.
func FuzzOwnerOf(f *testing.F) {
	f.Add("page=3&account_id=4711")
	f.Add("a=%zz&userID=1;b")
	f.Fuzz(func(t *testing.T, query string) {
		owner := OwnerOf(query)
		if owner == "" {
			return
		}
		assert.Contains(t, "&"+query+"&", "&"+owner+"&")
		if all, err := url.ParseQuery(query); err == nil {
			assert.NotEmpty(t, all)
		}
	})
}
