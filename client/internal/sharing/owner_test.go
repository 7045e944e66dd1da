package sharing

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOwnerInQuery(t *testing.T) {
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
		assert.Equal(t, want, ownerIn(query), query)
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { ownerIn("page=3&since_id=12&accountId=4711") }))
}

// What is returned is a parameter of the query.
func FuzzOwnerInQuery(f *testing.F) {
	f.Add("page=3&account_id=4711")
	f.Add("a=%zz&userID=1;b")
	f.Fuzz(func(t *testing.T, query string) {
		owner := ownerIn(query)
		if owner == "" {
			return
		}
		assert.Contains(t, "&"+query+"&", "&"+owner+"&")
		if all, err := url.ParseQuery(query); err == nil {
			assert.NotEmpty(t, all)
		}
	})
}

// An owner may be named by header fields, in any order, and by the query.
func TestOwnerOf(t *testing.T) {
	of := func(query string, fields ...string) uint64 {
		r := &http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{"User-Agent": {"a"}, "X-Request-Id": {"7"}, "Content-Type": {"b"}}}
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		return OwnerOf(r)
	}
	assert.Zero(t, of(""))
	assert.Zero(t, of("page=3"))
	for _, name := range []string{"X-Tenant", "X-Tenant-Id", "Xero-Tenant-Id", "Stripe-Account", "OpenAI-Organization", "Tenant"} {
		one := of("", name, "1")
		assert.NotZero(t, one, name)
		assert.NotEqual(t, one, of("", name, "2"), name)
		assert.NotEqual(t, one, of("user_id=1", name, "1"), name)
	}
	for range 20 {
		assert.Equal(t, of("", "X-Tenant", "1", "X-Project-Id", "2"), of("", "X-Tenant", "1", "X-Project-Id", "2"))
	}
	assert.NotEqual(t, of("user_id=1"), of("user_id=2"))
}

func TestOwnerInBody(t *testing.T) {
	of := func(kind, body string) uint64 {
		req, err := http.NewRequest(http.MethodPost, "https://api.test/send", strings.NewReader(body))
		require.NoError(t, err)
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		return OwnerInBody(req)
	}
	const inJSON = "application/json; charset=utf-8"
	one := of(inJSON, `{"text": {"chat_id": 9}, "type": "text", "chat_id": 4711}`)
	assert.NotZero(t, one)
	assert.Equal(t, one, of("", `{"chat_id": 4711, "text": "hello", "message_id": 3}`))
	assert.Equal(t, one, of("application/vnd.api+json", `{"chat_id": 4711, "text": "`+strings.Repeat("x", maxOwnerBody)+`"}`))
	assert.NotEqual(t, one, of(inJSON, `{"chat_id": 4712}`))
	assert.NotEqual(t, of(inJSON, `{"type": "a", "text": "x"}`), of(inJSON, `{"type": "b"}`), "where nothing else does")
	assert.NotZero(t, of("application/x-www-form-urlencoded", "text=hello&channel=C42"))
	assert.NotEqual(t, of("application/x-www-form-urlencoded", "text=hello&channel=C42"), of("application/x-www-form-urlencoded", "channel=C43"))
	for _, body := range []string{"", "4711", "[", `{`, `{"chat_id"`, `{"chat_id":`, `{"chat_id": null}`, `{"chat_id": {"id": 1}}`, `{"text": "` + strings.Repeat("x", maxOwnerBody) + `", "chat_id": 1}`, `{1: 2}`} {
		assert.Zero(t, of(inJSON, body), body)
	}
	assert.Zero(t, of("text/plain", `{"chat_id": 4711}`))
}
