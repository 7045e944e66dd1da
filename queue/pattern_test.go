package queue

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatternsMatch(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no string // requests, separated by commas
	}{
		{"/", "GET /,POST /a/b,GET h/x", ""},
		{"/{$}", "GET /", "GET /a,GET //"},
		{"/a", "GET /a,POST h/a", "GET /a/,GET /ab,GET /"},
		{"/a/", "GET /a/,GET /a/b/c", "GET /a,GET /b/"},
		{"GET /a", "GET /a,HEAD /a", "POST /a,GET /b"},
		{"POST /a", "POST /a", "GET /a,HEAD /a"},
		{"example.com/", "GET example.com/x,GET example.com:8080/x", "GET example.org/x,GET /x"},
		{"POST /v1/virtual-accounts/{id}", "POST /v1/virtual-accounts/17", "POST /v1/virtual-accounts,POST /v1/virtual-accounts/,POST /v1/virtual-accounts/1/2"},
		{"/a/{x}/c", "GET /a/b/c,GET /a/%2F/c", "GET /a//c,GET /a/b/d,GET /a/c"},
		{"/a/{rest...}", "GET /a/,GET /a/b/c", "GET /a"},
		{"/a/{x}/{$}", "GET /a/b/", "GET /a/b,GET /a/b/c"},
		{"/a%2Fb", "GET /a%2Fb,GET /a%2fb", "GET /a/b"},
		{"/a%25/x", "GET /a%25/x", "GET /a/x,GET /a%2525/x"},
		{"GET /projects/{id}", "GET /projects/group%2Fproject", "GET /projects/group/project"},
		{"GET /{x}/end", "GET /100%2525/end,GET /100%/end", "GET /100/25/end"},
		{"POST /", "POST h,POST /", "GET h"},
		{"GET /{$}", "GET h, h,GET /", "POST h,GET /x"},
		{"GET /a", " /a,GET /a", "POST /a"},
		{"POST /a", "POST /a", " /a"},
		{"example.com/", "POST example.com, example.com:80", "POST example.org"},
		{"::1/", "GET [::1]:80/", "GET [::1]/"},
		{"[::1]/", "GET [::1]/", "GET [::1]:80/"},
	} {
		p, err := parsePattern(c.pattern)
		require.NoError(t, err)
		for want, list := range map[bool]string{true: c.yes, false: c.no} {
			for s := range strings.SplitSeq(list, ",") {
				if s == "" {
					continue
				}
				method, rest, _ := strings.Cut(s, " ")
				i := strings.IndexByte(rest+"/", '/')
				r := &Request{Method: method, Host: rest[:i], Path: rest[i:]}
				assert.Equal(t, want, p.matches(r), "%s, %s", c.pattern, s)
			}
		}
	}
}

func TestBadPatternsAreErrors(t *testing.T) {
	for _, s := range []string{"", "GET", "GET a", "a", "/{", "/{}", "/{a}b", "/a{b}", "/{a}/{a}", "/{a...}/b", "/{$}/b", "/{1}", "{h}/", "G(T /"} {
		_, err := parsePattern(s)
		assert.ErrorContains(t, err, fmt.Sprintf("queue: pattern %q: ", s))
		if s != "" {
			_, err = New(WithRule(Rule{Pattern: s, MaxInFlight: 1}))
			assert.Error(t, err)
		}
	}
}

// FuzzPattern compares patterns with those of the mux whose syntax they have: a rule is for the requests
// that would reach the mux's handler.
func FuzzPattern(f *testing.F) {
	f.Add("GET /a/{b}/", "GET", "example.com", "/a/b/c")
	f.Add("example.com/{x...}", "POST", "example.com:8080", "/a%2Fb/")
	f.Add("/{$}", "HEAD", "example.com", "/")
	f.Add("POST /v1/virtual-accounts/{id}", "POST", "example.com", "/v1/virtual-accounts/17")
	f.Add("GET /projects/{id}", "", "example.com", "/projects/group%2Fproject")
	f.Add("POST /", "POST", "example.com", "")
	f.Add("example.com/", "POST", "EXAMPLE.com", "")
	f.Add("GET /{x}/end", "GET", "[::1]:80", "/100%2525/end")
	f.Add("GET /a%25/x", "GET", "h", "/a%25/x")
	f.Fuzz(func(t *testing.T, text, method, host, path string) {
		p, err := parsePattern(text)
		mux := http.NewServeMux()
		muxErr := register(mux, text)
		if muxErr == nil && err != nil {
			t.Fatalf("%q is fine for the mux: %v", text, err)
		}
		if err != nil {
			return
		}
		u, err := url.Parse("http://example.com" + path)
		if muxErr != nil || err != nil || u.Host != "example.com" || u.RawQuery != "" || u.Fragment != "" || method == "CONNECT" {
			return
		}
		escaped := u.EscapedPath()
		got := p.matches(&Request{Method: method, Host: host, Path: escaped})
		// The mux redirects paths that are not clean, and to a trailing slash; rules do not.
		// To the mux an empty segment in a pattern, or an escaped slash alone in one, is something else,
		// by accident.
		if strings.Contains(text, "//") || strings.Contains(escaped, "//") || strings.Contains(escaped, "/.") ||
			slices.Contains(strings.Split(strings.ToUpper(text+"/"+escaped), "/"), "%2F") {
			return
		}
		r := httptest.NewRequest("GET", "http://example.com/", nil)
		r.Method, r.URL, r.Host = cmp.Or(method, "GET"), u, host
		if u.Path == "" {
			u.Path = "/" // on the wire
		}
		h, found := mux.Handler(r)
		_, ours := h.(handler)
		if want := found != "" && ours; got != want {
			t.Fatalf("pattern %q, %s %s%s: got %v, want %v", text, method, host, escaped, got, want)
		}
	})
}

type handler struct{}

func (handler) ServeHTTP(http.ResponseWriter, *http.Request) {}

func register(mux *http.ServeMux, pattern string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	mux.Handle(pattern, handler{})
	return nil
}
