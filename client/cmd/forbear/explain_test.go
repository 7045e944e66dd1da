package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// runs calls the program and returns what it writes, and its exit status.
func runs(t testing.TB, in string, args ...string) (out, errors string, status int) {
	t.Helper()
	var o, e strings.Builder
	status = run(t.Context(), args, &streams{strings.NewReader(in), &o, &e})
	return o.String(), e.String(), status
}

const refused = "HTTP/2 429 \r\ndate: Sun, 01 Mar 2026 12:00:00 GMT\r\nx-ratelimit-limit-minute: 600\r\n" +
	"x-ratelimit-remaining-minute: 0\r\nx-ratelimit-reset-minute: 17\r\nx-quota-flavour: vanilla\r\n\r\n{}"

func TestExplainRefusal(t *testing.T) {
	out, _, status := runs(t, refused, "explain", "-host", "api.test")
	require.Zero(t, status)
	for _, want := range []string{
		"Status 429 from api.test at 2026-03-01 12:00:00 UTC: refused because of a limit.",
		"minute: 0 of 600 requests left, in each 1 min, opens in 17 s (at 12:00:17)",
		"Send the request again if its body can be replayed", "at least 17 s because of the refusal",
		"Not understood", "X-Quota-Flavour: vanilla",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "X-Ratelimit", "what is understood is not odd")
}

// What it says about retries is what a client does by default.
func TestExplainRetries(t *testing.T) {
	for in, want := range map[string]string{
		"HTTP/2 200\n\n":                        "as it is.",
		"HTTP/2 404\n\n":                        "as it is.",
		"HTTP/2 501\n\n":                        "as it is.",
		"HTTP/2 500\n\n":                        "Send the request again if it is idempotent, up to 4 times",
		"HTTP/2 408\n\n":                        "Send the request again if it is idempotent, up to 4 times",
		"HTTP/2 500\nX-Should-Retry: false\n\n": "as it is.",
		"HTTP/2 429\n\n":                        "Send the request again if its body can be replayed, up to 4 times",
		"HTTP/2 503\nRetry-After: 1\n\n":        "Send the request again if its body can be replayed, up to 4 times",
		"HTTP/2 429\nRetry-After: 1201\n\n":     "as it is; another attempt would have to wait for longer than 20 min.",
		"HTTP/2 403\nX-RateLimit-Limit: 60\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 3600\n\n" +
			`{"message":"API rate limit exceeded"}`: "as it is; another attempt would have to wait for longer than 20 min.",
		"HTTP/2 429\n\n" + `{"error":{"code":"insufficient_quota"}}`: "as it is; waiting does not help (quota exhausted).",
	} {
		out, err, status := runs(t, in, "explain")
		require.Zero(t, status, "%s: %s", in, err)
		require.Contains(t, out, want, in)
	}
}

// It does not matter how the response was written down.
func TestExplainForms(t *testing.T) {
	want, _, _ := runs(t, refused, "explain")
	for name, in := range map[string]string{
		"HTTP/1.1":        strings.Replace(refused, "HTTP/2 429 ", "HTTP/1.1 429 Too Many Requests", 1),
		"HTTP/3":          strings.Replace(refused, "HTTP/2", "HTTP/3", 1),
		"plain newlines":  strings.ReplaceAll(refused, "\r\n", "\n"),
		"redirect":        "HTTP/1.1 301 Moved Permanently\r\nX-RateLimit-Limit: 5\r\n\r\n" + refused,
		"byte order mark": "\ufeff" + refused,
		"folded":          strings.Replace(refused, "vanilla", "\r\n\tvanilla", 1),
		"no field":        strings.Replace(refused, "x-quota", "no field\r\n continued\r\nodd name: 5\r\nx-quota", 1),
		"continue":        "HTTP/1.1 100 Continue\r\n\r\n" + refused,
		"no body":         strings.TrimSuffix(refused, "\r\n\r\n{}"),
		"verbose":         "* Connected\n> GET / HTTP/2\n>\n< " + strings.ReplaceAll(strings.TrimSuffix(refused, "{}"), "\r\n", "\r\n< "),
	} {
		out, err, status := runs(t, in, "explain")
		require.Zero(t, status, "%s: %s", name, err)
		require.Equal(t, want, out, name)
	}
}

func TestExplainHARFile(t *testing.T) {
	entry := func(url, status, headers, content string) string {
		return fmt.Sprintf(`{"startedDateTime":"2026-03-01T11:59:59.5Z","time":500,"request":{"url":%q},
			"response":{"status":%s,"headers":[%s],"content":%s}}`, url, status, headers, content)
	}
	limit := func(left string) string {
		return `{"name":"X-RateLimit-Limit","value":"60"},{"name":"X-RateLimit-Remaining","value":"` + left + `"}`
	}
	body := base64.StdEncoding.EncodeToString([]byte(`{"retry_after":7}`))
	out, _, status := runs(t, `{"log":{"entries":[`+strings.Join([]string{
		entry("https://b.test/", "200", limit("9"), `{}`), entry("https://b.test/", "200", limit("8"), `{}`), entry("https://b.test/logo.png", "200", "", `{}`),
		entry("https://a.test/", "429", "", `{"text":"`+body+`","encoding":"base64"}`), entry("https://c.test/", "0", "", `{}`),
	}, ",")+`]}}`, "explain")
	require.Zero(t, status)
	a, b, ok := strings.Cut(out, "Status 200 from b.test at 2026-03-01 12:00:00 UTC")
	require.True(t, ok, out)
	require.Contains(t, a, "Status 429 from a.test")
	require.Contains(t, a, "Hold the next request for at least 7 s")
	require.Contains(t, b, "8 of 60 requests left")
	require.NotContains(t, out, "9 of 60")
	require.NotContains(t, out, "c.test")
}

// What is wrong in a HAR file takes nothing else with it.
func TestExplainOddHARFiles(t *testing.T) {
	const date = `{"name":"Date","value":"Sun, 01 Mar 2026 12:00:00 GMT"},`
	for _, odd := range []string{`"startedDateTime":"",`, `"startedDateTime":"yesterday",`, `"startedDateTime":7,`, `"time":"12",`, `"time":null,`, `"request":[],`} {
		for _, content := range []string{`null`, `{"text":5}`, `[]`} {
			in := "\ufeff" + `{"log":{"entries":[7,{"response":{"status":"200","headers":{}}},{` + odd + `"response":{"status":200,"headers":[5,{"name":"X-Odd","value":5},` + date +
				`{"name":"X-RateLimit-Limit","value":"60"},{"name":"X-RateLimit-Remaining","value":"9"}],"content":` + content + `}}]}}`
			out, err, status := runs(t, in, "explain")
			require.Zero(t, status, "%s: %s", in, err)
			require.Contains(t, out, "at 2026-03-01 12:00:00 UTC")
			require.Contains(t, out, "9 of 60 requests left")
		}
	}
}

// What says nothing alone may still say something about other fields.
func TestExplainFieldsThatGoTogether(t *testing.T) {
	out, _, status := runs(t, "HTTP/1.1 200 OK\nX-RateLimit-Limit: 60\nX-RateLimit-Remaining: 30\nX-RateLimit-Bucket: abc\n\n", "explain")
	require.Zero(t, status)
	require.NotContains(t, out, "Not understood")
}

func TestExplainNothing(t *testing.T) {
	out, _, status := runs(t, "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nhi", "explain")
	require.Zero(t, status)
	require.Contains(t, out, "It announces none.")
	require.Contains(t, out, "Let the next request go at once.")
	require.NotContains(t, out, "Not understood")
	out, _, _ = runs(t, "HTTP/1.1 503 Down\n\n", "explain")
	require.Contains(t, out, "if it is idempotent")
}

func TestExplainShowsTextOnly(t *testing.T) {
	out, _, status := runs(t, "HTTP/1.1 200 OK\nX-Quota-Odd: \x1b[31m"+strings.Repeat("x", 10_000)+"\n\n", "explain")
	require.Zero(t, status)
	require.NotContains(t, out, "\x1b")
	require.Less(t, len(out), 1000)
}

func TestExplainWhatIsNoResponse(t *testing.T) {
	for in, want := range map[string]string{
		"": "no HTTP response", "hello\nworld": "no HTTP response", "HTTP/1.1 huh\n\n": "no HTTP response",
		"{": "no HAR file", "{}": "holds no response",
	} {
		out, err, status := runs(t, in, "explain")
		require.Equal(t, 1, status, in)
		require.Empty(t, out)
		require.Contains(t, err, "forbear explain: ")
		require.Contains(t, err, want)
	}
	var o, e strings.Builder
	require.Equal(t, 1, run(t.Context(), []string{"explain"}, &streams{iotest.ErrReader(errors.New("broken")), &o, &e}))
	require.Contains(t, e.String(), "broken")
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		out    string
		err    string
	}{
		{nil, 2, "", "forbear explain"},
		{[]string{"help"}, 0, "forbear explain", ""},
		{[]string{"help"}, 0, "The exit status is 0", ""},
		{[]string{"version"}, 0, "forbear ", ""},
		{[]string{"--version"}, 0, ", go1.", ""},
		{[]string{"--help"}, 0, "forbear explain", ""},
		{[]string{"help", "explain"}, 0, "usage: forbear explain", ""},
		{[]string{"explain", "-h"}, 0, "usage: forbear explain", ""},
		{[]string{"help", "version"}, 0, "forbear version", ""},
		{[]string{"help", "nothing"}, 2, "", `unknown command "nothing"`},
		{[]string{"nothing"}, 2, "", `unknown command "nothing"`},
		{[]string{"explain", "-x"}, 2, "", "forbear explain: flag provided but not defined: -x\nSee forbear help explain.\n"},
		{[]string{"explain", "file"}, 2, "", `unexpected argument "file"`},
	} {
		out, err, status := runs(t, "", c.args...)
		require.Equal(t, c.status, status, "%q", c.args)
		require.Contains(t, out, c.out)
		require.Contains(t, err, c.err)
		require.Equal(t, c.out == "", out == "", "%q", c.args)
		require.Equal(t, c.err == "", err == "", "%q", c.args)
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(refused)
	f.Add(`{"log":{"entries":[{"response":{"status":200,"headers":[{"name":"a","value":"b"}]}}]}}`)
	f.Add("HTTP/1.1 200 OK\nRetry-After: 5\n")
	f.Fuzz(func(t *testing.T, in string) {
		out, err, status := runs(t, in, "explain")
		require.Equal(t, status == 0, err == "")
		require.Equal(t, status == 0, out != "")
		for _, text := range []string{out, err} {
			require.NotRegexp(t, "[\x00-\x09\x0b-\x1f]", text)
		}
	})
}
